// Parts bytes with a scanner, in pieces as a test likes, for the tests of framings.
import type { FrameScanner } from '../../../../src/stream/framing/framing.js';
import { broken, unfinished } from '../../../../src/stream/framing/framing.js';

/** What a scanner made of some bytes. */
export interface Parted {
  /** Latin1. */
  readonly messages: readonly string[];
  /** What came behind the last message. */
  readonly rest: string;
  readonly broken: boolean;
  /** For each message: alone, own answer, last. */
  readonly notes: readonly string[];
}

/** @param cuts places, in order, where one read ends and the next begins */
export function part(scanner: FrameScanner, bytes: Buffer, cuts: readonly number[] = []): Parted {
  const messages: string[] = [];
  const notes: string[] = [];
  let message = '';
  // The pieces are put in the middle of a larger buffer, as they lie in a read buffer.
  const edges = [0, ...cuts, bytes.length];
  for (let index = 0; index + 1 < edges.length; index++) {
    const piece = bytes.subarray(edges[index], edges[index + 1]);
    const buffer = Buffer.concat([Buffer.from('\n\r\n$'), piece, Buffer.from('\r\n\n')]);
    let at = 4;
    const end = 4 + piece.length;
    while (at < end) {
      const found = scanner.scan(buffer, at, end);
      if (found === broken) return { messages, rest: message, broken: true, notes };
      if (found === unfinished) {
        message += buffer.toString('latin1', at, end);
        break;
      }
      messages.push(message + buffer.toString('latin1', at, found));
      notes.push([scanner.alone ? 'alone' : '', scanner.ownAnswer, scanner.last ? 'last' : ''].join('|'));
      message = '';
      at = found;
    }
  }
  return { messages, rest: message, broken: false, notes };
}
