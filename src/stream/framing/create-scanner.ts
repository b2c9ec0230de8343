// Chooses what finds the messages of a framing; those that end by silence need none.
import type { FramingSetting } from '../../config/stream-config.js';
import type { FrameScanner, FrameSide } from './framing.js';
import { LengthPrefixScanner } from './length-prefix-scanner.js';
import { LineScanner } from './line-scanner.js';
import { RespReplyScanner } from './resp-reply-scanner.js';
import { RespRequestScanner } from './resp-request-scanner.js';

/** A scanner for one direction of one connection. Null: the bytes do not tell where a message ends, see `silenceOf`. */
export function createScanner(setting: FramingSetting, side: FrameSide): FrameScanner | null {
  switch (setting.kind) {
    case 'line':
      return new LineScanner();
    case 'length-prefix':
      return new LengthPrefixScanner(setting);
    case 'resp':
      return side === 'request' ? new RespRequestScanner() : new RespReplyScanner();
    case 'chunk':
    case 'idle-gap':
      return null;
  }
}

/** Milliseconds of silence that end a message of a framing without a scanner; 0: the end of what could be read at once. */
export function silenceOf(setting: FramingSetting): number {
  return setting.kind === 'idle-gap' ? setting.milliseconds : 0;
}
