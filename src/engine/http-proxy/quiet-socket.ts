// What node:http does not tell of a connection to a backend: that an answer had arrived when it seemed silent, and that an end was a reset.
import type { Socket } from 'node:net';
import { wasReset } from '../../base/socket-reset.js';

/**
 * Tells in the next turn of the event loop whether nothing has come. Where it was this process that stood still, what the backend sent
 * meanwhile is there already, and is read before anybody is told to be silent.
 */
export function lookAgain(socket: Socket, seen: (isSilent: boolean) => void): void {
  const { bytesRead } = socket;
  setImmediate(() => seen(socket.bytesRead === bytesRead));
}

const reset = new WeakSet<Socket>();

/** Asks a connection that has just been made, once it ends, whether it was reset: node:http closes our side next, and then nobody knows. */
export function watchForReset(socket: Socket): void {
  socket.prependOnceListener('end', () => {
    if (wasReset(socket)) reset.add(socket);
  });
}

/** Whether the end of a watched connection was a reset in truth. */
export function endedByReset(socket: Socket): boolean {
  return reset.has(socket);
}
