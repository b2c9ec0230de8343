// Bodies in chunks: the same wherever they are cut, and what was put in comes out.
import fc from 'fast-check';
import { ChunkedReader } from '../../../src/http1/chunked-reader.js';
import { headLimits } from '../../helpers/raw-heads.js';
import { chunkedBodies } from '../http-texts.js';
import { fuzzPart } from '../part.js';
import { anyBytes, bytesOf, damaged, holds, same } from '../texts.js';

interface Read {
  readonly data: string;
  readonly done: boolean;
  readonly error: string;
  readonly trailers: string;
  readonly rest: number;
}

function read(pieces: readonly Buffer[]): Read {
  const reader = new ChunkedReader(headLimits);
  let data = '';
  let rest = 0;
  for (const piece of pieces) {
    let at = 0;
    while (at < piece.length && !reader.done && reader.error === '') {
      const next = reader.read(piece, at, piece.length);
      holds('reading goes on', next > at || reader.error !== '');
      data += piece.toString('latin1', reader.dataStart, reader.dataEnd);
      at = next;
    }
    rest += piece.length - at;
  }
  const broken = reader.error !== '';
  // Data before a fault may or may not have been given out, by where the pieces end.
  return {
    data: broken ? '' : data,
    done: reader.done,
    error: reader.error,
    trailers: reader.trailers,
    rest: reader.done ? rest : 0,
  };
}

interface ChunkCase {
  readonly text: string;
  /** What it holds, where that is known. */
  readonly data: string | null;
}

/** Right by their making. */
const right: fc.Arbitrary<ChunkCase> = fc
  .array(fc.tuple(anyBytes(30), fc.constantFrom('', ';a', ';a=b', ';a="b\\"c"'), fc.nat({ max: 3 })), { maxLength: 5 })
  .map((pieces) => {
    const chunks = pieces.filter(([data]) => data !== '');
    const texts = chunks.map(([data, ext, zeros]) => `${'0'.repeat(zeros)}${data.length.toString(16)}${ext}\r\n${data}\r\n`);
    return { text: `${texts.join('')}0\r\n\r\nrest`, data: chunks.map(([data]) => data).join('') };
  });

const any: fc.Arbitrary<ChunkCase> = damaged(chunkedBodies, '0\r\n\r\n', '5;x\r\n').map((text) => ({ text, data: null }));

export const chunks = fuzzPart<ChunkCase>({
  name: 'chunks',
  cases: fc.oneof(right, any),
  check: ({ text, data }) => {
    const bytes = bytesOf(text);
    const whole = read([bytes]);
    if (data !== null) same('what was put in', whole, { data, done: true, error: '', trailers: '', rest: 4 });
    const compare = (what: string, pieces: readonly Buffer[]): void => {
      const found = read(pieces);
      // A fault of trailers may be told later, with the end of a line: nothing is accepted until then.
      if (whole.error === '' || found.error !== '' || found.done) same(what, found, whole);
    };
    for (let cut = 1; cut < bytes.length; cut++) compare(`cut at ${cut}`, [bytes.subarray(0, cut), bytes.subarray(cut)]);
    compare(
      'byte by byte',
      [...bytes.keys()].map((at) => bytes.subarray(at, at + 1)),
    );
    holds('trailers are lines', whole.trailers === '' || /^([^\r\n\0]+\r\n)+$/.test(whole.trailers));
  },
  perSecond: 700,
});
