// What the management answers when it does not do what it was asked: one kind of error, which becomes problem+json or a line for a person.

/** One thing that is wrong with what was sent. */
export interface Fault {
  /** JSON pointer into the body (RFC 6901), or the name of a parameter. */
  readonly pointer: string;
  /** What it is and what is allowed. */
  readonly detail: string;
}

/** Names of problems; each has one status. */
export const problemStatuses = {
  'invalid-body': 400,
  'invalid-request': 400,
  unauthenticated: 401,
  forbidden: 403,
  'not-found': 404,
  'method-not-allowed': 405,
  exists: 409,
  conflict: 409,
  'precondition-failed': 412,
  'body-too-large': 413,
  'unsupported-media-type': 415,
  'wrong-host': 421,
  'too-many-failures': 429,
  internal: 500,
  'store-away': 503,
  'too-many-listeners': 503,
  'not-applied': 504,
} as const;

export type ProblemCode = keyof typeof problemStatuses;

/** Thrown by operations; its message says what is wrong and, where it is not plain, what to do. */
export class Problem extends Error {
  readonly code: ProblemCode;
  readonly faults: readonly Fault[];
  /** Further members of the document (RFC 9457 section 3.2). */
  readonly members: Readonly<Record<string, unknown>>;

  constructor(
    code: ProblemCode,
    message: string,
    faults: readonly Fault[] = [],
    members: Readonly<Record<string, unknown>> = {},
  ) {
    super(message);
    this.name = 'Problem';
    this.code = code;
    this.faults = faults;
    this.members = members;
  }

  get status(): number {
    return problemStatuses[this.code];
  }
}

/** @param what e.g. `Route` */
export function notFound(what: string): Problem {
  return new Problem('not-found', `${what} not found`);
}

/** A body with everything that is wrong with it. */
export function invalidBody(faults: readonly Fault[]): Problem {
  return new Problem('invalid-body', 'Validation Error', faults);
}

/**
 * The document of RFC 9457. `error` and `details` stand for those who read the answers of the specification that this API follows.
 * @param instance path that was asked for
 */
export function problemDocument(problem: Problem, instance: string): Record<string, unknown> {
  const { code, status, message, faults, members } = problem;
  const listed = faults.length === 0 ? {} : { errors: faults, details: faults };
  const detail = faults.length === 0 ? message : faults.map(({ pointer, detail: text }) => `${pointer} ${text}`).join('; ');
  return {
    type: `urn:cjs-proxy:problem:${code}`,
    title: message,
    status,
    detail,
    code,
    instance,
    error: message,
    ...listed,
    ...members,
  };
}
