// One upstream address of a frontend, parsed once from its list entry.

/** How a backend is spoken to: HTTP/1.1, or HTTP/2 (`h2` in TLS, `h2c` in clear text). */
export const backendSchemes = ['http', 'https', 'h2', 'h2c'] as const;

export type BackendScheme = (typeof backendSchemes)[number];

/** The PROXY protocol, by its versions: how a backend is told of its client before the first byte. */
export const proxyProtocols = ['none', 'v1', 'v2'] as const;

export type ProxyProtocol = (typeof proxyProtocols)[number];

/** Whether what is said to a backend is encrypted. */
export function speaksTls({ scheme }: Pick<Backend, 'scheme'>): boolean {
  return scheme === 'https' || scheme === 'h2';
}

export function speaksHttp2({ scheme }: Pick<Backend, 'scheme'>): boolean {
  return scheme === 'h2' || scheme === 'h2c';
}

/** A backend as a frontend's list names it. Immutable. What it has may be found through its prototype: copied by `changedBackend`. */
export interface Backend {
  /** The list entry as somebody wrote it, e.g. `http://10.0.0.1:80#weight=2`. */
  readonly entry: string;
  /** Position in the list, zero based: the id that Hipache uses in `dead:<host>` and on the channel `dead`. */
  readonly index: number;
  /** Name that stays the same when the list shifts: the option `id`, else derived from the address and its ordinal. */
  readonly id: string;
  readonly scheme: BackendScheme;
  /** Host name or address without brackets; empty for a unix socket. */
  readonly host: string;
  readonly port: number;
  /** Path of a unix socket, or empty. */
  readonly socketPath: string;
  /** Key of its connection pool: scheme and address, e.g. `http://10.0.0.1:80`, `unix:/run/app.sock`. */
  readonly origin: string;
  /** The URL as Hipache publishes it: normalised, with a trailing slash, an explicit `:80` kept. */
  readonly publishedUrl: string;
  /** Share of new requests relative to its siblings; 1 unless the option `weight` says otherwise. */
  readonly weight: number;
  /** The option `backup`: used only while no other can be. */
  readonly backup: boolean;
  /** Group of a traffic split that it belongs to: the option `group`, or empty. */
  readonly group: string;
  /** The PROXY header that each connection to it begins with: the option `proxyProtocol`. */
  readonly proxyProtocol: ProxyProtocol;
}

/** What many backends have in common: where they are. */
export type BackendAddress = Readonly<Pick<Backend, 'scheme' | 'host' | 'port' | 'socketPath' | 'origin' | 'publishedUrl'>>;

/** And how they are used. */
export type BackendOptions = Readonly<Pick<Backend, 'weight' | 'backup' | 'group' | 'proxyProtocol'>>;

/** There may be hundreds of thousands, on few machines and without options: each holds only what is its own. */
export class ListedBackend implements Backend {
  readonly entry: string;
  readonly index: number;
  readonly id: string;
  readonly #address: BackendAddress;
  readonly #options: BackendOptions;

  constructor(entry: string, index: number, id: string, address: BackendAddress, options: BackendOptions) {
    this.entry = entry;
    this.index = index;
    this.id = id;
    this.#address = address;
    this.#options = options;
  }

  get scheme(): BackendScheme {
    return this.#address.scheme;
  }

  get host(): string {
    return this.#address.host;
  }

  get port(): number {
    return this.#address.port;
  }

  get socketPath(): string {
    return this.#address.socketPath;
  }

  get origin(): string {
    return this.#address.origin;
  }

  get publishedUrl(): string {
    return this.#address.publishedUrl;
  }

  get weight(): number {
    return this.#options.weight;
  }

  get backup(): boolean {
    return this.#options.backup;
  }

  get group(): string {
    return this.#options.group;
  }

  get proxyProtocol(): ProxyProtocol {
    return this.#options.proxyProtocol;
  }

  /** The same one by another id. */
  called(id: string): ListedBackend {
    return new ListedBackend(this.entry, this.index, id, this.#address, this.#options);
  }
}

/** A copy of a backend in which some things are others. */
export function changedBackend<T extends Partial<Backend>>(backend: Backend, changes: T): Backend & T {
  const { entry, index, id, scheme, host, port, socketPath, origin, publishedUrl, weight, backup, group, proxyProtocol } =
    backend;
  return {
    ...{ entry, index, id, scheme, host, port, socketPath, origin, publishedUrl, weight, backup, group, proxyProtocol },
    ...changes,
  };
}
