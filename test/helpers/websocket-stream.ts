// WebSocket where the `ws` package does not speak it: over a stream of HTTP/2 (RFC 8441), and in handshakes by hand.
import { createHash } from 'node:crypto';
import type { OutgoingHttpHeaders } from 'node:http2';
import type { Duplex } from 'node:stream';
import { WebSocket } from 'ws';

/** @param side whose frames it writes: those of a client are masked */
export function webSocketOver(stream: Duplex, side: 'client' | 'server'): WebSocket {
  const socket = new WebSocket(null as unknown as string, undefined, { autoPong: true });
  Object.assign(socket, { _isServer: side === 'server', _closeTimeout: 5_000 });
  const duplex = Object.assign(stream, { setTimeout: () => stream, setNoDelay: () => stream, cork() {}, uncork() {} });
  const options = { allowSynchronousEvents: true, maxPayload: 1 << 24, skipUTF8Validation: false };
  (socket as WebSocket & { setSocket(duplex: Duplex, head: Buffer, options: object): void }).setSocket(
    duplex,
    Buffer.alloc(0),
    options,
  );
  return socket;
}

/** What a server makes of the key of a handshake (RFC 6455 section 4.2.2). */
export function webSocketAccept(key: string): string {
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
}

/** The fields by which one is asked for over HTTP/2. */
export function webSocketRequest(scheme: 'http' | 'https', authority: string, path: string): OutgoingHttpHeaders {
  return {
    ':method': 'CONNECT',
    ':protocol': 'websocket',
    ':scheme': scheme,
    ':path': path,
    ':authority': authority,
    'sec-websocket-version': '13',
  };
}
