// A configuration that cannot be used: every fault of it at once, one line each.

/** What is wrong with a setting: not known, not allowed, needed but absent, or a file that cannot be used. */
type FaultKind = 'unknown' | 'wrong' | 'missing' | 'unreadable';

/** One thing that a person has to mend. */
export interface Fault {
  readonly kind: FaultKind;
  /** The setting as it was written, e.g. `server.workers`, `http.bind[1].port`, or an environment variable; empty for the whole file. */
  readonly path: string;
  /** What was found there, ready to be shown: secrets are hidden, long texts cut. Empty where there is nothing to show. */
  readonly value: string;
  /** What is allowed, or what to do. */
  readonly allowed: string;
  /** The known name nearest to an unknown one. */
  readonly nearest?: string;
  /** The file, `environment` or `command line`. */
  readonly source: string;
}

/** Thrown by `loadConfig`; its message has one line a fault. */
export class ConfigError extends Error {
  readonly faults: readonly Fault[];

  constructor(faults: readonly Fault[]) {
    super(faults.map(faultText).join('\n'));
    this.name = 'ConfigError';
    this.faults = faults;
  }
}

function faultText({ kind, path, value, allowed, nearest, source }: Fault): string {
  const place = path === '' ? source : `${source}: ${path}`;
  switch (kind) {
    case 'unknown':
      return `${place} is not a known setting${nearest === undefined ? '' : `; the nearest known one is ${nearest}`}`;
    case 'missing':
      return `${place} is missing; needed is ${allowed}`;
    case 'wrong':
      return `${place} is ${value}; allowed is ${allowed}`;
    case 'unreadable':
      return `${place}: ${allowed}`;
  }
}

/** A name as a fault shows it: a clean line, and not a long one, whatever somebody wrote. */
export function shownName(name: string): string {
  const short = name.length > 60 ? `${name.slice(0, 59)}…` : name;
  return /^[\x21-\x7e…]+$/.test(short) ? short : JSON.stringify(short);
}

/** A value as a fault shows it: lists and objects by their kind alone, since they may hold secrets. */
export function shownValue(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'an object';
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
