// Connects to a target of a stream: TCP, TLS or a unix socket, within a time limit.

import { classifyConnectError } from '../errors/classify.js';
import type { ProxyError } from '../errors/proxy-error.js';
import type { StreamTarget } from '../model/stream-target.js';
import { type BackendTls, dial } from '../upstream/dial.js';
import { StreamSocket } from './stream-socket.js';

/** Told how an attempt went: one of the two, once, later. */
export interface DialUser {
  /** The side is ready for bytes both ways; it has been reading since, so set its `user` now. */
  connected(side: StreamSocket): void;
  failed(error: ProxyError): void;
}

/** Limits of an attempt, in milliseconds. */
export interface DialLimits {
  readonly connectTimeout: number;
  /** Silence after which TCP asks for the other side; 0: never. */
  readonly keepAlive: number;
}

/** What an unset `keepAlive` of the stream becomes where a target asks for it. */
const usualKeepAlive = 60_000;

/**
 * @param preface as `dial` takes it
 * @returns ends the attempt; neither of both is told then, unless it was already
 */
export function dialTarget(
  target: StreamTarget,
  limits: DialLimits,
  trust: BackendTls,
  preface: Buffer | null,
  user: DialUser,
): () => void {
  const side = new StreamSocket();
  const socket = dial(target, side, trust, { keepAlive: keepAliveOf(target, limits.keepAlive), preface });
  const secure = target.scheme === 'https';
  let securing = false;
  let over = false;
  const timer = setTimeout(() => {
    const late = Object.assign(new Error(`no connection in ${limits.connectTimeout} ms`), { code: 'ETIMEDOUT' });
    fail(late);
  }, limits.connectTimeout);
  side.attach(socket, secure ? 'secure' : 'plain');

  function fail(error: Error): void {
    if (over) return;
    over = true;
    clearTimeout(timer);
    side.destroy();
    user.failed(classifyConnectError(error, target.origin, securing));
  }

  if (secure) socket.once('connect', () => (securing = true));
  socket.once(secure ? 'secureConnect' : 'connect', () => {
    if (over) return;
    over = true;
    clearTimeout(timer);
    user.connected(side);
  });
  // Node tells of a failed attempt by 'error'; a handshake that the other side closes in good order by 'close' alone.
  socket.once('error', fail);
  socket.once('close', () => fail(Object.assign(new Error('closed'), { code: 'ECONNRESET' })));

  return () => {
    if (over) return;
    over = true;
    clearTimeout(timer);
    side.destroy();
  };
}

/** @returns as `dial` wants it */
function keepAliveOf({ keepAlive }: StreamTarget, standard: number): number | null {
  if (keepAlive === false || (keepAlive === null && standard === 0)) return null;
  return standard === 0 ? usualKeepAlive : standard;
}
