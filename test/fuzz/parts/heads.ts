// Heads of requests and responses: the same wherever they are cut, nothing in them that could be read as another line.
import { ProxyError } from '../../../src/errors/proxy-error.js';
import { HeadBuffer } from '../../../src/http1/head-buffer.js';
import { type ParsedRequestHead, parseRequestHead } from '../../../src/http1/request-head.js';
import { type ParsedResponseHead, parseResponseHead } from '../../../src/http1/response-head.js';
import { headLimits } from '../../helpers/raw-heads.js';
import { requestTexts, responseTexts } from '../http-texts.js';
import { fuzzPart } from '../part.js';
import { bytesOf, holds, same } from '../texts.js';

type Parsed = ParsedRequestHead | ParsedResponseHead | ProxyError | null;
type Parse = (bytes: Buffer) => Parsed;

const asRequest: Parse = (bytes) => parseRequestHead(bytes, 0, bytes.length, headLimits);
const asResponse: Parse = (bytes) => parseResponseHead(bytes, 0, bytes.length, headLimits, 'GET');

/** As a connection does it: parsed again only where the new bytes may have completed it. */
function parsePieces(pieces: readonly Buffer[], parse: Parse): Parsed {
  const collected = new HeadBuffer(headLimits.maxHeadBytes);
  for (const piece of pieces) {
    collected.append(piece);
    const parsed = collected.mayBeComplete ? parse(collected.bytes) : null;
    if (parsed !== null) return parsed;
  }
  return null;
}

function essence(parsed: Parsed): unknown {
  if (parsed === null) return 'incomplete';
  if (parsed instanceof ProxyError) return [parsed.code, parsed.message];
  const { headers, connectionNames, ...plain } = parsed;
  return { ...plain, headers: headers.pairs(), names: connectionNames === null ? null : [...connectionNames] };
}

function checkHead(text: string, parse: Parse): void {
  const bytes = bytesOf(text);
  const whole = parse(bytes);
  const expected = essence(whole);
  const compare = (what: string, pieces: readonly Buffer[]): void => {
    const parsed = parsePieces(pieces, parse);
    // A refusal may come later, with the end of a line: what is not looked at yet is not accepted either.
    if (parsed !== null || !(whole instanceof ProxyError)) same(what, essence(parsed), expected);
  };
  for (let cut = 1; cut < bytes.length; cut++) compare(`cut at ${cut}`, [bytes.subarray(0, cut), bytes.subarray(cut)]);
  compare(
    'byte by byte',
    [...bytes.keys()].map((at) => bytes.subarray(at, at + 1)),
  );
  if (whole === null || whole instanceof ProxyError) return;
  holds('a head ends with an empty line', text.slice(0, whole.byteLength).endsWith('\r\n\r\n'));
  holds(`a line that is one line: ${JSON.stringify(whole.line)}`, /^[^\0-\x08\x0a-\x1f\x7f]+\r\n$/.test(whole.line));
  for (const part of whole.headers.pairs())
    holds(`a clean field: ${JSON.stringify(part)}`, /^[^\0-\x08\x0a-\x1f\x7f]*$/.test(part));
  if ('target' in whole) holds(`a target: ${JSON.stringify(whole.target)}`, /^(\/[^ \0-\x1f\x7f]*|\*)$/.test(whole.target));
}

export const requestHeads = fuzzPart<string>({
  name: 'request-heads',
  cases: requestTexts,
  check: (text) => checkHead(text, asRequest),
  perSecond: 250,
});

export const responseHeads = fuzzPart<string>({
  name: 'response-heads',
  cases: responseTexts,
  check: (text) => checkHead(text, asResponse),
  perSecond: 250,
});
