// One listening address: opens it, makes a connection of each socket, stops accepting when asked.
import net from 'node:net';
import type tls from 'node:tls';
import { type AddressSet, plainAddress } from '../base/ip.js';
import { StartError } from '../errors/start-error.js';
import type { Client, ClientCertificate, ClientTls, ConnectionEnds } from '../exchange/client.js';
import type { ProxiedEnds } from '../upstream/proxy-header.js';
import { acceptConnections, acceptInto, type BytesReceived, backlog } from './accept.js';
import { ClearGreeting } from './clear-greeting.js';
import { readClearSide } from './clear-side.js';
import type { ClientHello } from './client-hello.js';
import type { ConnectionContext } from './connection-context.js';
import { Http1Connection } from './http1-connection.js';
import { ProxiedArrival } from './proxied-arrival.js';
import { type TlsDiversion, TlsHandshake, type TlsNames } from './tls-handshake.js';

/** Where to listen. */
export interface ListenerOptions {
  readonly address: string;
  /** 0: any free port. */
  readonly port: number;
  /** `::` takes IPv4 as well, unless another listener has 0.0.0.0 on the same port. */
  readonly ipv6Only: boolean;
  /** Who ends TLS, by the name that a client asks for; null: clear text. */
  readonly tls: TlsNames | null;
  /** Which of the names are passed on with their TLS; absent: none. */
  readonly diversion?: TlsDiversion;
  /** Every connection begins with a PROXY header; those that come from nobody trusted are closed. */
  readonly proxyProtocol?: boolean;
  /** Whether clients in clear text may begin with HTTP/2 (RFC 9113 section 3.3). */
  readonly clearHttp2: boolean;
  readonly trusted: AddressSet;
  readonly context: ConnectionContext;
}

/** An open listening address. */
export interface Listener {
  readonly address: string;
  /** The real port, also where 0 was asked for. */
  readonly port: number;
  readonly secure: boolean;
  /** Stops accepting; connections go on. When it returns, another program may listen there. */
  stop(): void;
  /** It has stopped, and no connection that is still in its handshake will come out of it. */
  readonly stopped: boolean;
}

const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program listens there; stop it or choose another port (http.port)',
  EADDRNOTAVAIL: 'this machine has no such address; see http.bind',
  EACCES: 'ports below 1024 need root (or CAP_NET_BIND_SERVICE); choose another port (http.port) or start as root',
};

/** A machine without IPv6: all addresses are then those of IPv4. */
const withoutIpv6: ReadonlySet<string> = new Set(['EAFNOSUPPORT', 'EADDRNOTAVAIL', 'EINVAL']);

type Http2 = typeof import('./http2-session.js');

/** Null until the first client comes that speaks HTTP/2: the others do not pay for it. */
let http2: Http2 | null = null;

function withHttp2(use: (loaded: Http2) => void): void {
  if (http2 !== null) {
    use(http2);
    return;
  }
  void import('./http2-session.js').then((loaded) => {
    http2 = loaded;
    use(loaded);
  });
}

/** @throws StartError in one line when the address cannot be had */
export function openListener(options: ListenerOptions): Promise<Listener> {
  const { address, port, context, trusted } = options;
  const { door } = context;
  const secure = options.tls !== null;
  let localPort = port;

  const proxied = options.proxyProtocol === true;
  /** Who is behind a proxy, by the connection that its header came on. */
  const told = new WeakMap<net.Socket, ProxiedEnds>();

  /** Null: the client is gone, or was blocked since its handshake began. */
  const welcome = (socket: net.Socket, clientTls: ClientTls | null, http2: boolean): Client | null => {
    const header = proxied ? told.get(socket) : undefined;
    const peer = header?.source.address ?? plainAddress(socket.remoteAddress ?? '');
    if (peer === '' || ((secure || proxied) && door.isBlocked(peer))) {
      socket.destroy();
      return null;
    }
    return {
      address: peer,
      trusted: trusted.has(peer),
      http2,
      secure,
      localPort,
      ends: header === undefined ? socket : endsOf(header),
      tls: clientTls,
      episode: door.episode,
      lastAuthority: '',
      shown: { text: '', digest: '' },
      forwardedStart: '',
    };
  };

  /** Anybody else could say that he is somebody else. */
  const comesFromProxy = (socket: net.Socket): boolean => {
    if (!proxied || trusted.has(plainAddress(socket.remoteAddress ?? ''))) return true;
    socket.on('error', () => {});
    socket.resetAndDestroy();
    return false;
  };

  const serve = (socket: net.Socket, clientTls: ClientTls | null = null): BytesReceived | null => {
    const client = welcome(socket, clientTls, false);
    if (client === null) return null;
    const connection = new Http1Connection(socket, client, context);
    return (chunk) => connection.received(chunk);
  };

  const serveHttp2 = (socket: net.Socket, clientTls: ClientTls | null): void => {
    const client = welcome(socket, clientTls, true);
    if (client === null) return;
    withHttp2(({ Http2Connection }) => {
      if (!socket.destroyed) new Http2Connection(socket, client, context);
    });
  };

  const greetInClear = (socket: net.Socket): BytesReceived => {
    const { connections, clock, settings } = context;
    const parts = {
      connections,
      clock,
      limit: settings.headTimeout,
      http1: serve,
      http2: (it: net.Socket) => serveHttp2(it, null),
    };
    const greeting = new ClearGreeting(socket, parts);
    return (chunk) => greeting.received(chunk);
  };

  const secured = (socket: tls.TLSSocket, hello: ClientHello, authorities: string, ends: ProxiedEnds | null): void => {
    if (ends !== null) told.set(socket, ends);
    const certificate = authorities === '' ? null : shownCertificate(socket);
    const clientTls = { serverName: hello.serverName, authorities, certificate, agreed: '' };
    if (socket.alpnProtocol === 'h2') {
      serveHttp2(socket, clientTls);
      return;
    }
    const received = serve(socket, clientTls);
    if (received !== null) readClearSide(socket, received);
  };

  const greet = (names: TlsNames) => {
    const { connections, clock, settings } = context;
    const lets = (socket: net.Socket) => (comesFromProxy(socket) ? door.lets(socket, true) : 'out');
    const diversion = options.diversion ?? null;
    const parts = { names, diversion, lets, proxied, connections, clock, limit: settings.headTimeout, secured };
    return () => new TlsHandshake(parts);
  };

  const server = net.createServer({ allowHalfOpen: true, noDelay: true });
  const speak = options.clearHttp2 ? greetInClear : (socket: net.Socket) => serve(socket);
  const greetProxied = (socket: net.Socket): BytesReceived => {
    const { connections, clock, settings } = context;
    const next = (it: net.Socket, ends: ProxiedEnds | null): BytesReceived | null => {
      if (ends !== null) told.set(it, ends);
      return speak(it);
    };
    const arrival = new ProxiedArrival(socket, { connections, clock, limit: settings.headTimeout, next });
    return (chunk) => arrival.received(chunk);
  };
  const greetPlain = proxied ? greetProxied : speak;
  const plain = (socket: net.Socket): BytesReceived | null => {
    const reception = comesFromProxy(socket) ? door.lets(socket, false) : 'out';
    if (reception === 'in') return greetPlain(socket);
    if (reception === 'out') return null;
    let received: BytesReceived | null = null;
    reception.entered = () => {
      received = greetPlain(socket);
      socket.resume();
    };
    return (chunk) => received?.(chunk);
  };
  const accept = (): (() => void) =>
    options.tls === null ? acceptConnections(server, plain) : acceptInto(server, greet(options.tls));

  return new Promise((resolve, reject) => {
    const refused = (error: NodeJS.ErrnoException): void => {
      if (address === '::' && !options.ipv6Only && withoutIpv6.has(error.code ?? '')) {
        resolve(openListener({ ...options, address: '0.0.0.0' }));
        return;
      }
      reject(new StartError(`cannot listen on ${address}:${port}: ${reasons[error.code ?? ''] ?? error.message}`));
    };
    server.once('error', refused);
    server.listen({ host: address, port, backlog, ipv6Only: options.ipv6Only }, () => {
      server.off('error', refused);
      localPort = (server.address() as net.AddressInfo).port;
      const stopAccepting = accept();
      let stopped = false;
      const stop = (): void => {
        stopAccepting();
        server.close(() => {
          stopped = true;
        });
      };
      resolve({
        address,
        port: localPort,
        secure,
        stop,
        get stopped() {
          return stopped;
        },
      });
    });
  });
}

function endsOf({ source, destination }: ProxiedEnds): ConnectionEnds {
  return { remotePort: source.port, localAddress: destination.address, localPort: destination.port };
}

/** What OpenSSL found of the certificate that a client was asked for. */
function shownCertificate(socket: tls.TLSSocket): ClientCertificate | null {
  const x509 = socket.getPeerX509Certificate();
  if (x509 === undefined) return null;
  return { x509, refusal: socket.authorized ? '' : String(socket.authorizationError ?? 'it was not checked'), lines: '' };
}
