// The application: every endpoint behind the same checks, every refusal a problem+json, every write able to wait until it is in force.
import { pipeline } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import express, { type NextFunction, type Request, type Response } from 'express';
import { plainAddress } from '../base/ip.js';
import type { ApiConfig } from '../config/config.js';
import type { Logger } from '../observe/logger.js';
import type { Authenticator, Identity } from './auth.js';
import { authorise, isFor } from './auth.js';
import type { Answer, Call, Endpoint } from './endpoint.js';
import { type Fleet, notApplied } from './fleet.js';
import { refuseOtherOrigins, securityHeaders } from './guard.js';
import { invalidBody, Problem, problemDocument } from './problem.js';
import { readBody, readQuery } from './read-call.js';
import type { Workspace } from './workspace.js';

/** Where everything of the API is. */
const apiRoot = '/api/v1';

export interface AppParts {
  readonly config: Pick<ApiConfig, 'maxBody' | 'maxImport' | 'cert'>;
  /** Of everybody; the author is added for each call. */
  readonly workspace: Omit<Workspace, 'author' | 'mayTouch'>;
  readonly endpoints: readonly Endpoint[];
  readonly authenticator: Authenticator;
  readonly fleet: Pick<Fleet, 'waitFor'>;
  readonly logger: Logger;
  /** Adds what is served without a token: pages. */
  readonly open: (app: express.Express) => void;
}

/** A call that was refused says who it was. */
interface Marked extends Request {
  identity?: Identity;
}

export function createApp({ config, workspace, endpoints, authenticator, fleet, logger, open }: AppParts): express.Express {
  const app = express();
  app.disable('x-powered-by').disable('etag').set('query parser', 'simple').set('case sensitive routing', true);
  app.use(securityHeaders(config.cert !== ''));
  app.use(refuseOtherOrigins(authenticator.asks));
  open(app);
  const body = express.json({ limit: config.maxBody, strict: false, type: isJson });
  const document = express.text({ limit: config.maxImport, type: () => true });
  for (const one of endpoints) {
    app[one.method](
      apiRoot + one.path.replaceAll(/\{(\w+)\}/g, ':$1'),
      (request: Marked, _response: Response, next: NextFunction) => {
        request.identity = authenticator.identify(request.headers.authorization, addressOf(request), certificateNameOf(request));
        authorise(request.identity, one.role, one.scoped);
        if (one.body !== undefined && one.document !== true && hasBody(request) && isJson(request) !== true)
          throw new Problem('unsupported-media-type', 'Send the body as Content-Type: application/json');
        next();
      },
      one.document === true ? document : body,
      (request: Marked, response: Response) => handle(one, request, response),
    );
  }
  app.use(apiRoot, (request: Marked) => {
    // Who is nobody learns nothing of what there is.
    request.identity = authenticator.identify(request.headers.authorization, addressOf(request), certificateNameOf(request));
    const allowed = methodsOf(endpoints, request.path);
    if (allowed.length === 0) throw new Problem('not-found', 'There is no such resource');
    throw new Problem('method-not-allowed', `${request.method} is not possible here`, [], { allowed });
  });
  app.use(() => {
    throw new Problem('not-found', `There is nothing here; the API is at ${apiRoot}`);
  });
  app.use((error: unknown, request: Marked, response: Response, _next: NextFunction) => refuse(error, request, response));
  return app;

  async function handle(one: Endpoint, request: Marked, response: Response): Promise<void> {
    const identity = request.identity as Identity;
    const { hosts } = identity;
    const { waiting, query } = readQuery(one, request.query);
    const call: Call<never, never> = {
      workspace: {
        ...workspace,
        author: { name: identity.name, address: addressOf(request) },
        ...(hosts.length === 0 ? {} : { mayTouch: (name: string) => isFor(hosts, name) }),
      },
      params: request.params as Record<string, string>,
      query: query as never,
      body: readBody(one, request.body) as never,
      conditions: conditionsOf(request),
      request,
    };
    const answer = await one.handle(call);
    if (waiting.wait && answer.revision !== undefined) {
      const laggards = await fleet.waitFor(answer.revision, waiting.limit);
      if (laggards.length > 0) throw notApplied(answer.revision, laggards);
    }
    send(response, answer);
  }

  function refuse(error: unknown, request: Marked, response: Response): void {
    const problem = asProblem(error);
    if (problem.code === 'internal') logger.error(`The management API failed at ${request.method} ${request.path}`, { error });
    const { status } = problem;
    // What was refused for who asked, not for what was asked.
    if ([401, 403, 421, 429].includes(status)) {
      logger.warn('A call of the management API was refused', {
        by: request.identity?.name ?? 'nobody',
        from: addressOf(request),
        method: request.method,
        path: request.path,
        status,
        reason: problem.message,
      });
    }
    if (response.headersSent) {
      response.destroy();
      return;
    }
    const retryAfter = problem.members.retryAfter;
    send(response, {
      status,
      body: problemDocument(problem, request.originalUrl.split('?', 1)[0] as string),
      headers: {
        'Content-Type': 'application/problem+json',
        ...(status === 401 ? { 'WWW-Authenticate': 'Bearer realm="cjs-proxy"' } : {}),
        ...(status === 405 ? { Allow: (problem.members.allowed as string[]).join(', ') } : {}),
        ...(typeof retryAfter === 'number'
          ? { 'Retry-After': String(retryAfter) }
          : status === 503
            ? { 'Retry-After': '1' }
            : {}),
        // What is left of a body that is too large is not read.
        ...(status === 413 ? { Connection: 'close' } : {}),
      },
    });
  }
}

function send(response: Response, { status, body, stream, headers = {}, revision }: Answer): void {
  response.statusCode = status;
  if (revision !== undefined) response.setHeader('X-Revision', String(revision));
  if (body !== undefined) response.setHeader('Content-Type', 'application/json');
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  if (stream !== undefined) {
    // An error in the middle cuts the connection, so that half of it is not taken for the whole.
    pipeline(stream, response, () => undefined);
    return;
  }
  // Not `response.json`: an If-None-Match would make it 304, though whether backends are alive is no part of the tag.
  response.end(body === undefined ? undefined : typeof body === 'string' ? body : `${JSON.stringify(body)}\n`);
}

function conditionsOf({ headers }: Request): Call<never, never>['conditions'] {
  const match = headers['if-match'];
  const noneMatch = headers['if-none-match'];
  return {
    ...(match === undefined ? {} : { ifMatch: match.split(',').map((text) => text.trim()) }),
    ...(noneMatch?.trim() === '*' ? { ifNoneMatch: true } : {}),
  };
}

function hasBody({ headers }: Request): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

function isJson({ headers }: Pick<Request, 'headers'>): boolean {
  return /^application\/(?:[\w.+-]+\+)?json\b/i.test(headers['content-type'] ?? '');
}

function addressOf(request: Request): string {
  return plainAddress(request.socket.remoteAddress ?? '');
}

/** The common name of the certificate that the client showed; empty: none was asked for. */
function certificateNameOf(request: Request): string {
  const socket = request.socket as Partial<TLSSocket>;
  const subject = socket.authorized === true ? socket.getPeerCertificate?.().subject?.CN : undefined;
  return typeof subject === 'string' ? subject.replace(/[^\x20-\x7e]/g, '?').slice(0, 64) : '';
}

function methodsOf(endpoints: readonly Endpoint[], path: string): string[] {
  const matching = endpoints.filter((one) => new RegExp(`^${one.path.replaceAll(/\{\w+\}/g, '[^/]+')}/?$`).test(path));
  return [...new Set(matching.map(({ method }) => method.toUpperCase()))];
}

/** Errors of express and of body-parser have a status; others are the store's, or ours. */
function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  const { status, type, message } = error as { readonly status?: unknown; readonly type?: unknown; readonly message?: unknown };
  if (status === 413) return new Problem('body-too-large', 'The body is larger than api.maxBody (or api.maxImport) allows');
  if (type === 'entity.parse.failed') return invalidBody([{ pointer: '', detail: 'is no JSON' }]);
  if (status === 415)
    return new Problem('unsupported-media-type', 'The body has an encoding or a charset that is not understood');
  if (typeof status === 'number' && status >= 400 && status < 500)
    return new Problem('invalid-request', 'The request cannot be understood');
  if (error instanceof Error && /Redis/.test(String(message)))
    return new Problem('store-away', 'Redis cannot be asked at the moment');
  return new Problem('internal', 'Something went wrong here; the log of the management has more');
}
