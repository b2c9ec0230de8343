// Reads all plain client connections into one buffer, instead of a fresh one of 64 KiB for each read.
//
// A read is handled to its end before the next one begins, so one buffer serves every connection of the worker: an idle
// connection holds none, and a read allocates nothing. What must outlive the handler is copied by whoever keeps it.
// Node offers this for outgoing sockets only (`onread` of net.connect); accepted ones have the same slots but no
// documented way to fill them. So they are looked for, and where a version of Node lacks them 'data' events serve.
import type { Socket } from 'node:net';

const size = 64 * 1024;
const shared = Buffer.allocUnsafeSlow(size);

/** Takes `shared` bytes 0 to `length`; false stops reading until `socket.resume()`. */
type ReadCallback = (length: number, buffer: Buffer) => boolean;

interface Slots {
  readonly buffer: symbol;
  readonly callback: symbol;
}

type Slotted = Socket & {
  [slot: symbol]: unknown;
  _handle?: { useUserBuffer?: (buffer: Buffer) => void } | null;
};

let slots: Slots | null | undefined;

function findSlots(socket: Socket): Slots | null {
  const symbols = Object.getOwnPropertySymbols(socket);
  const named = (name: string): symbol | undefined => symbols.find((symbol) => symbol.description === name);
  const buffer = named('kBuffer');
  const callback = named('kBufferCb');
  return buffer === undefined || callback === undefined ? null : { buffer, callback };
}

/**
 * Has what a plain socket reads handed to `received`: bytes that are valid until it returns.
 * @param received as for 'data' events, except that the bytes must be copied to be kept
 */
export function readShared(socket: Socket, received: (chunk: Buffer) => void): void {
  const slotted = socket as Slotted;
  if (slots === undefined) slots = findSlots(socket);
  const handle = slotted._handle;
  if (slots === null || handle === undefined || handle === null || typeof handle.useUserBuffer !== 'function') {
    socket.on('data', received);
    return;
  }
  const callback: ReadCallback = (length) => {
    received(length === size ? shared : shared.subarray(0, length));
    return true;
  };
  slotted[slots.buffer] = shared;
  slotted[slots.callback] = callback;
  handle.useUserBuffer(shared);
}
