// Resets of TCP connections: made without a proper end before them, and told from one.
import type { Socket } from 'node:net';

/** The sign by which `destroy` of Node resets a TCP connection. */
interface Resettable {
  resetAndClosing?: boolean;
}

/**
 * Drops what waits, and tells the other end that something went wrong, where TCP can: a unix socket knows no reset, and within TLS a
 * close without a word says as much.
 *
 * `resetAndDestroy` of Node closes the sending side first: a peer that takes the close for the end of a body sees a proper end, and
 * the reset behind it tells nobody anything.
 */
export function resetSocket(socket: Socket): void {
  if (socket.remoteFamily !== undefined && !('encrypted' in socket)) (socket as Resettable).resetAndClosing = true;
  socket.destroy();
}

/**
 * Whether a connection whose end was just told was reset in truth: a reset that comes together with the last bytes is told as an
 * end by the event loop (libuv reads less than it asked for, sees that the connection hangs up, and looks no further). The kernel
 * knows: after a proper end there still is a peer, unless our side had ended before. Holds for the first question about the peer of the socket, which Node keeps.
 */
export function wasReset(socket: Socket): boolean {
  // A unix socket has neither address, and no resets.
  return !socket.writableEnded && socket.remoteAddress === undefined && socket.localAddress !== undefined;
}

/** As the system words it. */
export function resetError(): Error {
  return Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
}
