// The kinds of records that the store holds beside a frontend's list and dead marks, each under one key.

/**
 * What a record of each kind is made of. `hash`: names and values in turn; `list`: elements in order; `set`: members;
 * `text`: one value.
 */
export const recordShapes = {
  /** Policy of a frontend, by frontend name. */
  route: 'hash',
  /** What active probes ask of a frontend's backends, by frontend name. */
  healthcheck: 'hash',
  /** Host patterns; one record, without a name. */
  patterns: 'list',
  /** A certificate and its key, by host name. */
  tls: 'hash',
  /**
   * Automatic certificates: `account:<id>`, `name:<host>` what is known of one, `wanted:<host>` that a client asked for it,
   * `http:<token>` and `alpn:<host>` what an authority is answered.
   */
  acme: 'hash',
  /** What TLS session tickets are sealed with; one record, `current`. */
  tickets: 'text',
  /** A rate limit, by name. */
  tier: 'hash',
  /** The tier of a client, by `key:…`, `ip:…` or `host:…`. */
  member: 'text',
  /** Hosts with the tier of that name; one record each, without a name. */
  registered: 'set',
  premium: 'set',
  /** Who may pass, by provider. */
  auth: 'hash',
  /** A TCP listener's mode and limits, by listener. */
  stream: 'hash',
  /** A TCP listener's targets, by listener. */
  targets: 'list',
  /** Addresses that are refused, by listener; without a name: by all. */
  blocklist: 'set',
  /** Nodes that are to get nothing new; one record, without a name. */
  drained: 'set',
} as const satisfies Record<string, 'hash' | 'list' | 'set' | 'text'>;

export type RecordKind = keyof typeof recordShapes;
export type RecordShape = (typeof recordShapes)[RecordKind];

/** All kinds. */
export const recordKinds = Object.keys(recordShapes) as readonly RecordKind[];

/** A record as it was read. */
export interface StoredRecord {
  /** As the shape of its kind says; empty where there is no such record. */
  readonly values: readonly string[];
  /** Why it cannot be understood (wrong type), or empty. */
  readonly fault: string;
}

/** A hash as a map; a later value of one name wins. */
export function fieldsOf(record: StoredRecord): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (let at = 0; at + 1 < record.values.length; at += 2)
    fields.set(record.values[at] as string, record.values[at + 1] as string);
  return fields;
}
