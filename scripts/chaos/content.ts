// Bodies that are told by a number, and the targets that ask for them: whoever knows the target knows every byte of the answer.
import { seeded } from '../../test/helpers/seeded.js';

export const longestBody = 256 * 1024;

/** How a backend ends a body: by its length, by a last chunk, by closing. */
export type Framing = 'length' | 'chunked' | 'close';

/** What a backend is asked for. */
export interface Wanted {
  /** Names the content. */
  readonly number: number;
  readonly length: number;
  readonly framing: Framing;
  /** Milliseconds over which the body is spread; 0: as fast as it goes. */
  readonly pace: number;
  /** Bytes of the body after which the connection is reset; null: it is not. */
  readonly cutAt: number | null;
}

const noise = makeNoise(1024 * 1024);

/** The content of a number. Two numbers that are less than some hundred thousand apart have different ones. */
export function contentOf(number: number, length: number): Buffer {
  const from = (number * 7919) % (noise.length - longestBody);
  return noise.subarray(from, from + length);
}

export function targetOf({ number, length, framing, pace, cutAt }: Wanted): string {
  return `/${number}/${length}/${framing}/${pace}/${cutAt ?? '-'}`;
}

export function wantedBy(target: string): Wanted {
  const [, number, length, framing, pace, cutAt] = target.split('/');
  return {
    number: Number(number),
    length: Math.min(Number(length), longestBody),
    framing: framing as Framing,
    pace: Number(pace),
    cutAt: cutAt === '-' ? null : Number(cutAt),
  };
}

function makeNoise(size: number): Buffer {
  const random = seeded(1);
  const bytes = Buffer.allocUnsafe(size);
  for (let at = 0; at < size; at += 4) bytes.writeUInt32LE(Math.floor(random() * 0x1_0000_0000), at);
  return bytes;
}
