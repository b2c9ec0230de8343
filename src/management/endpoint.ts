// One call of the API: what it takes and answers, in one place for the router, the checks and the OpenAPI document.
import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import type * as z from 'zod';
import type { ApiRole } from '../config/config.js';
import type { Workspace, WriteConditions, Written } from './workspace.js';

/** What a handler is given, checked. */
export interface Call<Q, B> {
  readonly workspace: Workspace;
  /** Parts of the path, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: Q;
  readonly body: B;
  readonly conditions: WriteConditions;
  readonly request: IncomingMessage;
}

/** What is answered. */
export interface Answer {
  readonly status: number;
  /** Sent as JSON; absent: nothing is. */
  readonly body?: unknown;
  /** In place of a body: sent as it comes. */
  readonly stream?: Readable;
  readonly headers?: Readonly<Record<string, string>>;
  /** Of a write: what `?wait=applied` waits for. */
  readonly revision?: number;
}

/** What is told of a status. */
export interface AnswerNote {
  readonly description: string;
  /** Absent: no body. */
  readonly schema?: z.ZodType;
}

export interface Endpoint {
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** Below `/api/v1`, e.g. `/routes/{vHost}`. */
  readonly path: string;
  /** Heading that it stands under. */
  readonly tag: string;
  readonly summary: string;
  readonly role: ApiRole;
  /** Whether tokens for some hosts may call it: it then looks at `workspace.mayTouch` itself. */
  readonly scoped: boolean;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  /** Whether it takes a whole document, in JSON or YAML, up to the size of `api.maxImport`. */
  readonly document?: true;
  readonly answers: Readonly<Record<number, AnswerNote>>;
  handle(call: Call<never, never>): Promise<Answer>;
}

/** Lets the types of query and body follow from their schemas. */
export function endpoint<Q extends z.ZodObject, B extends z.ZodType>(
  definition: Omit<Endpoint, 'handle' | 'query' | 'body'> & {
    readonly query?: Q;
    readonly body?: B;
    handle(call: Call<z.output<Q>, z.output<B>>): Promise<Answer>;
  },
): Endpoint {
  return definition as unknown as Endpoint;
}

/** The answer to a write: the record as it is now, its tag, and what is odd about it. */
export function writtenAnswer<T extends object>(
  { value, etag, revision, created, warnings }: Written<T>,
  status = created ? 201 : 200,
): Answer {
  const told = warnings.length === 0 ? {} : { warnings };
  return { status, body: { ...value, ...told }, headers: { ETag: etag }, revision };
}
