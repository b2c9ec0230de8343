// Reads the clear side of encrypted connections: all of them into one buffer, as plain ones do.
//
// Read by events, each piece costs storage of its own, the stream machinery and a tick. Node can read an open socket into a buffer
// (`onread`), but offers that for outgoing ones only. So what its constructor would do with that option is done here. Node documents neither
// the handle nor these fields: where they are not as expected, the events serve.
import type { TLSSocket } from 'node:tls';
import { sharedReadBuffer } from '../base/shared-read-buffer.js';
import type { BytesReceived } from './accept.js';

/** The fields in which a socket has what came of `onread`: the buffer, who is told, and who gives the next buffer. */
interface ReadFields {
  readonly buffer: symbol;
  readonly told: symbol;
  readonly next: symbol;
}

type Fields = Record<symbol, unknown> & { readonly _handle?: { readonly useUserBuffer?: (buffer: Buffer) => void } | null };

/** Undefined: not looked for yet; null: this version of Node has none. */
let found: ReadFields | null | undefined;

function findFields(socket: TLSSocket): ReadFields | null {
  const symbols = Object.getOwnPropertySymbols(socket);
  const named = (name: string) => symbols.find(({ description }) => description === name);
  const [buffer, told, next] = [named('kBuffer'), named('kBufferCb'), named('kBufferGen')];
  return buffer === undefined || told === undefined || next === undefined ? null : { buffer, told, next };
}

/** Gives what comes to `received`, whose bytes are valid until it returns. For a socket of which nothing was read yet. */
export function readClearSide(socket: TLSSocket, received: BytesReceived): void {
  socket.on('data', received);
  if (found === undefined) found = findFields(socket);
  const fields = socket as unknown as Fields;
  const handle = fields._handle;
  if (found === null || typeof handle?.useUserBuffer !== 'function') return;
  if (fields[found.buffer] !== null || fields[found.next] !== null) return;
  fields[found.buffer] = sharedReadBuffer;
  fields[found.told] = (size: number): boolean => {
    const bytes = sharedReadBuffer.subarray(0, size);
    // What was decrypted already comes although the socket was paused meanwhile: it waits in the stream, and what follows behind it.
    if (socket.readableFlowing === false || socket.readableLength > 0) return socket.push(Buffer.from(bytes));
    received(bytes);
    return true;
  };
  handle.useUserBuffer(sharedReadBuffer);
}
