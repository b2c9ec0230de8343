// The request of a probe to a backend that speaks HTTP/2; loaded when the first one is made.
import { type ClientHttp2Stream, connect, type OutgoingHttpHeaders } from 'node:http2';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';

/** Who is told what became of it. */
export interface Http2Probe {
  answered(status: number, body: ClientHttp2Stream): void;
  failed(why: string): void;
}

/**
 * Asks over a socket that is connected.
 * @param fields pseudo-header fields included
 */
export function askOverHttp2(socket: Socket, secure: boolean, fields: OutgoingHttpHeaders, probe: Http2Probe): void {
  if (secure && (socket as TLSSocket).alpnProtocol !== 'h2') {
    probe.failed('does not offer HTTP/2 by ALPN');
    return;
  }
  const createConnection = (): Socket => socket;
  const session = connect(`${secure ? 'https' : 'http'}://backend`, { createConnection, settings: { enablePush: false } });
  session.on('error', () => probe.failed('does not speak HTTP/2'));
  const stream = session.request(fields, { endStream: true });
  stream.on('error', () => probe.failed('the stream was reset'));
  stream.on('response', (answer) => probe.answered(answer[':status'] ?? 0, stream));
}
