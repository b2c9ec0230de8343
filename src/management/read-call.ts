// What a call brings, checked against its endpoint: the query, and the body.
import type * as z from 'zod';
import type { Endpoint } from './endpoint.js';
import { faultsOf } from './operations/schemas.js';
import { invalidBody, Problem } from './problem.js';
import { readDocument } from './read-document.js';

/** What every write may be asked for besides. */
export interface Waiting {
  /** Until every node has the change in force. */
  readonly wait: boolean;
  /** Milliseconds. */
  readonly limit: number;
}

const standardWait = 10_000;
const longestWait = 60_000;

/** The query of a call, checked: what every write may be asked for, and what the endpoint knows. @throws Problem */
export function readQuery(
  one: Endpoint,
  written: Readonly<Record<string, unknown>>,
): { readonly waiting: Waiting; readonly query: unknown } {
  const { wait, timeout, ...others } = written;
  const writes = one.method !== 'get';
  if (!writes && (wait !== undefined || timeout !== undefined))
    throw queryProblem([{ path: ['wait'], message: 'only for writes' }]);
  if (wait !== undefined && wait !== 'applied') throw queryProblem([{ path: ['wait'], message: 'allowed: applied' }]);
  const seconds = timeout === undefined ? standardWait / 1000 : Number(timeout);
  if (!(seconds > 0 && seconds * 1000 <= longestWait))
    throw queryProblem([{ path: ['timeout'], message: `seconds, up to ${longestWait / 1000}` }]);
  const waiting = { wait: wait !== undefined, limit: seconds * 1000 };
  if (one.query === undefined) {
    const [stranger] = Object.keys(others);
    if (stranger !== undefined) throw queryProblem([{ path: [stranger], message: 'is not known here' }]);
    return { waiting, query: {} };
  }
  const result = one.query.safeParse(others);
  if (!result.success) throw queryProblem(result.error.issues);
  return { waiting, query: result.data };
}

function queryProblem(issues: readonly Pick<z.core.$ZodIssue, 'path' | 'message'>[]): Problem {
  const faults = issues.map(({ path, message }) => ({ pointer: path.map(String).join('.'), detail: message }));
  return new Problem('invalid-request', 'Validation Error', faults);
}

/**
 * The body of a call, checked.
 * @param sent a JSON value, or the text of a document; undefined: there was none
 * @throws Problem with all its faults
 */
export function readBody(one: Endpoint, sent: unknown): unknown {
  if (one.body === undefined) return undefined;
  const written = one.document === true ? readDocument(sent) : sent;
  if (written === undefined) throw invalidBody([{ pointer: '', detail: 'a body is needed, as application/json' }]);
  const result = one.body.safeParse(written, { reportInput: false });
  if (!result.success) throw invalidBody(faultsOf(result.error.issues));
  return result.data;
}
