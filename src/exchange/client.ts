// Who is at the other end of a client connection; made once a connection and shared by its exchanges.

/** The client's end of a connection. */
export interface Client {
  /** Peer address: IPv4 in dotted form also when the socket is dual-stack, IPv6 without brackets; `unix` for a unix socket. */
  readonly address: string;
  /** Whether `trustedProxies` holds the peer: its forwarded headers are believed and appended to. */
  readonly trusted: boolean;
  /** Whether the connection came over TLS. */
  readonly secure: boolean;
  /** The port that the client connected to. */
  readonly localPort: number;
  /** The authority of its last request: asking again for the same one gives this string, whose hash is known already. */
  lastAuthority: string;
  /** What an engine tells backends about this client, kept for the next request; see engine/outgoing-head. */
  readonly forwardedLines: { authority: string; text: string };
}
