// What clients ask for, drawn from a seed: hosts, methods, bodies of all sizes and framings, at once and over some time.
import { contentOf, type Framing, longestBody, targetOf } from './content.js';
import type { Asked } from './judge.js';

/** Hosts that are served: with no policy, and with a limit for each attempt. */
export const plainHost = 'plain.chaos';
export const patientHost = 'patient.chaos';
/** Of the frontend with a policy: longer than a slow backend takes. */
export const tryTimeout = 1_500;

export type DrawnRequest = Pick<Asked, 'kind' | 'expected' | 'cutAt' | 'endsByClose'> & {
  /** Of the message, sent one after the other. */
  readonly parts: readonly (string | Buffer)[];
};

/** Kinds of requests and how often each comes. */
const shares: readonly (readonly [Asked['kind'], number])[] = [
  ['get', 42],
  ['patient', 22],
  ['post', 12],
  ['put', 10],
  ['cut', 10],
  ['unknown', 4],
];
const longestRepeatable = 60_000;

/**
 * @param number names the content of the answer; no two requests of a run have the same
 * @param random from 0 to below 1
 */
export function drawRequest(number: number, random: () => number): DrawnRequest {
  const kind = drawKind(random() * 100);
  const length = Math.max(1, drawLength(random));
  const framing: Framing = random() < 0.55 ? 'length' : random() < 0.8 ? 'chunked' : 'close';
  // So that faults happen in the middle of bodies.
  const pace = random() < 0.12 ? 100 + Math.floor(random() * 900) : 0;
  const cutAt = kind === 'cut' ? (random() < 0.2 ? 0 : 1 + Math.floor(random() * length)) : null;
  const host = kind === 'patient' ? patientHost : kind === 'unknown' ? `nobody-${number}.chaos` : plainHost;
  const common = { kind, cutAt: cutAt ?? 0, endsByClose: framing === 'close' };
  if (kind !== 'put' && kind !== 'post') {
    // One byte more than is sent, so that none of them is the last.
    const target = targetOf({ number, length: length + 1, framing, pace, cutAt });
    return { ...common, expected: contentOf(number, length + 1), parts: [`GET ${target} HTTP/1.1\r\nHost: ${host}\r\n\r\n`] };
  }
  const sent = contentOf(number, kind === 'put' ? Math.min(length, longestRepeatable) : length);
  const target = targetOf({ number, length: 0, framing, pace, cutAt: null });
  const head = `${kind.toUpperCase()} ${target} HTTP/1.1\r\nHost: ${host}\r\n`;
  const parts =
    random() < 0.5
      ? [`${head}Content-Length: ${sent.length}\r\n\r\n`, ...inParts(sent, random)]
      : [`${head}Transfer-Encoding: chunked\r\n\r\n`, ...inParts(sent, random).flatMap(framed), '0\r\n\r\n'];
  return { ...common, expected: sent, parts: joined(parts, random) };
}

function drawKind(number: number): Asked['kind'] {
  let sum = 0;
  for (const [kind, share] of shares) {
    sum += share;
    if (number < sum) return kind;
  }
  return 'get';
}

/** Most are short, some are long. */
function drawLength(random: () => number): number {
  const most = [100, 2_000, 20_000, longestBody][Math.floor(random() ** 2 * 4)] ?? 100;
  return Math.floor(random() * (most - 2));
}

function inParts(bytes: Buffer, random: () => number): Buffer[] {
  const middle = Math.floor(random() * bytes.length);
  return [bytes.subarray(0, middle), bytes.subarray(middle)].filter((part) => part.length > 0);
}

function framed(part: Buffer): (string | Buffer)[] {
  return [`${part.length.toString(16)}\r\n`, part, '\r\n'];
}

/** In one write, as most clients send, or with a pause in between. */
function joined(parts: readonly (string | Buffer)[], random: () => number): Buffer[] {
  const bytes = parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part));
  if (random() < 0.7) return [Buffer.concat(bytes)];
  const middle = Math.ceil(bytes.length / 2);
  return [Buffer.concat(bytes.slice(0, middle)), Buffer.concat(bytes.slice(middle))].filter((part) => part.length > 0);
}
