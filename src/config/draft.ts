// A configuration under way: settings as each layer left them, and how they were written, so that faults name what a person sees.
import type { Fault } from './config-error.js';

/** How and where somebody wrote a setting. */
export interface Origin {
  /** The key as written, e.g. `server.port` for what is now `http.port`, or `CJS_PROXY_HTTP_PORT`. */
  readonly key: string;
  /** The file, `environment` or `command line`. */
  readonly source: string;
}

export type Tree = Record<string, unknown>;

/** Whether a value is a JSON object. */
export function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Settings as raw values; later layers overwrite earlier ones. Paths are keys joined by dots. */
export class Draft {
  readonly settings: Tree;
  readonly warnings: string[] = [];
  readonly faults: Fault[] = [];
  /** Path of the file, or `defaults`. */
  readonly source: string;
  private readonly origins = new Map<string, Origin>();

  /**
   * @param settings the file's object; it is copied
   * @param source its path
   */
  constructor(settings: Tree, source: string) {
    this.settings = structuredClone(settings);
    this.source = source;
  }

  /** The value at a path, or undefined. */
  get(path: string): unknown {
    let value: unknown = this.settings;
    for (const key of path.split('.')) {
      if (!isTree(value) || !Object.hasOwn(value, key)) return undefined;
      value = value[key];
    }
    return value;
  }

  /** Whether a setting is there. */
  has(path: string): boolean {
    return this.get(path) !== undefined;
  }

  /** Puts a value at a path. A parent that is no object is left alone: the schema has a fault to tell about it. */
  set(path: string, value: unknown, origin: Origin): void {
    const keys = path.split('.');
    const last = keys.pop()!;
    let tree = this.settings;
    for (const key of keys) {
      const next = tree[key] ?? {};
      if (!isTree(next)) return;
      tree[key] = next;
      tree = next;
    }
    tree[last] = value;
    for (const known of this.origins.keys()) {
      if (known.startsWith(`${path}.`)) this.origins.delete(known);
    }
    this.origins.set(path, origin);
  }

  /** Takes a value out. */
  take(path: string): unknown {
    const value = this.get(path);
    if (value === undefined) return undefined;
    const cut = path.lastIndexOf('.');
    const parent = cut === -1 ? this.settings : (this.get(path.slice(0, cut)) as Tree);
    delete parent[path.slice(cut + 1)];
    return value;
  }

  /** Says once that a key of an older spelling was understood, and what to write now. */
  deprecated(key: string, replacement: string): void {
    this.warn(`WARNING! \`${key}\` is deprecated. Please use \`${replacement}\` instead.`);
  }

  /** Adds a warning unless it is there already. */
  warn(text: string): void {
    if (!this.warnings.includes(text)) this.warnings.push(text);
  }

  /** Adds a fault unless that place has one already. */
  refuse(fault: Fault): void {
    const known = this.faults.some(({ path, source }) => path === fault.path && source === fault.source);
    if (!known) this.faults.push(fault);
  }

  /**
   * How a setting was written: by the origin of the longest path known, with the rest behind it.
   * @param path keys and indices from the schema
   */
  origin(path: readonly PropertyKey[]): Origin {
    for (let length = path.length; length > 0; length--) {
      const origin = this.origins.get(path.slice(0, length).map(String).join('.'));
      if (origin !== undefined) return { key: `${origin.key}${joinPath(path.slice(length), true)}`, source: origin.source };
    }
    return { key: joinPath(path, false), source: this.source };
  }
}

/** `http.bind[0].port` for ['http', 'bind', 0, 'port']. */
function joinPath(path: readonly PropertyKey[], continued: boolean): string {
  return path
    .map((key, index) => (typeof key === 'number' ? `[${key}]` : index === 0 && !continued ? String(key) : `.${String(key)}`))
    .join('');
}
