// What a worker counts of one TCP stream since its start. Plain numbers, changed in place by whoever sees the event.

/** Why a connection ended, or was not served. */
export const streamEnds = [
  /** Both sides have closed in good order. */
  'closed',
  /** One of them reset the connection or was lost. */
  'client-reset',
  'target-reset',
  'inactive',
  /** No target could be connected to, or there is none. */
  'no-target',
  /** Refused at accept: block list, number of clients, a PROXY header from somebody not trusted, or a wrong or late one. */
  'blocked',
  'too-many',
  'not-trusted',
  'bad-header',
  /** TLS with the client did not come about. */
  'handshake-failed',
  /** Waited for its turn in vain. */
  'waited',
  /** An exchange of `fifo` or `funnel` failed. */
  'exchange-failed',
  /** More bytes than may wait. */
  'too-large',
  /** `l4`: said nothing, or not in time; no greeting of TLS where one was expected; nothing is meant for its host. */
  'silent',
  'no-greeting',
  'no-route',
  /** The policy of the frontend keeps it out. */
  'denied',
  /** The target was connected to and said nothing. */
  'no-answer',
  /** Cut because its address was blocked, or because the proxy stops. */
  'cut',
] as const;
export type StreamEnd = (typeof streamEnds)[number];

/** The counters of one stream. */
export interface StreamCounters {
  readonly name: string;
  /** Connections accepted, and those that are open now. */
  connections: number;
  active: number;
  /** Clients that wait for their turn now. */
  waiting: number;
  /** Bytes from clients, and to them. */
  bytesIn: number;
  bytesOut: number;
  /** Connections that ended, by why. */
  readonly ends: Map<StreamEnd, number>;
  /** Attempts to connect that failed, those that were made after another one, and targets that were found dead. */
  connectFailures: number;
  retries: number;
  deadMarks: number;
  /** Messages of `fifo` and `funnel` that were answered. */
  exchanges: number;
  /** Connections to targets that are open now, by id. */
  readonly targets: Map<string, number>;
}

export function createStreamCounters(name: string): StreamCounters {
  return {
    name,
    connections: 0,
    active: 0,
    waiting: 0,
    bytesIn: 0,
    bytesOut: 0,
    ends: new Map(),
    connectFailures: 0,
    retries: 0,
    deadMarks: 0,
    exchanges: 0,
    targets: new Map(),
  };
}
