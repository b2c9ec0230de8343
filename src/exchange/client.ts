// Who is at the other end of a client connection; made once a connection and shared by its exchanges.

import type { X509Certificate } from 'node:crypto';

/** A certificate that a client has shown, and holds the key of. */
export interface ClientCertificate {
  readonly x509: X509Certificate;
  /** Why the authorities that it was checked against do not vouch for it; empty: they do. */
  readonly refusal: string;
  /** The header lines that tell backends of it, made on first use; empty before. */
  lines: string;
}

/** What the handshake of a connection told. */
export interface ClientTls {
  /** The host that was asked for (SNI), lower case; empty: none. */
  readonly serverName: string;
  /** Which authorities a certificate was asked for by; empty: none was asked for. */
  readonly authorities: string;
  readonly certificate: ClientCertificate | null;
  /** The authority, as requests have it, that was last found to be rightly asked for on this connection. */
  agreed: string;
}

/** Both ends of a connection, asked of its socket where somebody wants to know. */
export interface ConnectionEnds {
  readonly remotePort?: number | undefined;
  readonly localAddress?: string | undefined;
  readonly localPort?: number | undefined;
}

/** The client's end of a connection. */
export interface Client {
  /** Peer address: IPv4 in dotted form also when the socket is dual-stack, IPv6 without brackets; `unix` for a unix socket. */
  readonly address: string;
  /** Whether `trustedProxies` holds the peer: its forwarded headers are believed and appended to. */
  readonly trusted: boolean;
  /** Whether its connection carries HTTP/2. */
  readonly http2: boolean;
  /** Whether the connection came over TLS. */
  readonly secure: boolean;
  /** The port that the client connected to. */
  readonly localPort: number;
  /** What else is known of the connection; behind a PROXY header what that says. */
  readonly ends: ConnectionEnds;
  /** Which overload of the worker it connected in; 0: there was none. */
  readonly episode: number;
  /** Null where the connection did not come over TLS. */
  readonly tls: ClientTls | null;
  /** The authority of its last request: asking again for the same one gives this string, whose hash is known already. */
  lastAuthority: string;
  /** The credential of its last request and the digest that verdicts about it are kept by; both empty: none yet. */
  readonly shown: { text: string; digest: string };
  /** What an engine tells backends about this client, up to the authority of a request; empty: not told yet. See engine/outgoing-head. */
  forwardedStart: string;
}
