// Framing by lines: a message ends with a line feed, whatever stands before it.
import { type FrameScanner, unfinished } from './framing.js';

const lineFeed = 0x0a;

export class LineScanner implements FrameScanner {
  readonly alone = false;
  readonly ownAnswer = '';
  readonly last = false;
  readonly fault = '';

  scan(bytes: Buffer, start: number, end: number): number {
    const at = bytes.indexOf(lineFeed, start);
    // The buffer may hold older bytes behind the end.
    return at === -1 || at >= end ? unfinished : at + 1;
  }
}
