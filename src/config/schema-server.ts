// The settings of `server`: type, default, bounds and explanation of each. Durations are written in seconds and given in milliseconds.
import * as z from 'zod';
import {
  authoritiesAllowed,
  choice,
  duration,
  durationAs,
  filePath,
  filePaths,
  noted,
  seconds,
  size,
  wholeNumber,
  yesOrNo,
} from './fields.js';
import { strategies } from './strategy.js';

const mebibyte = 1_048_576;

const workersAllowed = 'a whole number from 0 to 1024, or "auto"';
const accessLogAllowed = 'the path of a file, "stdout" (or "-") or "none"';
const nodeIdAllowed = 'up to 128 letters, digits and . _ -';
const stickySecretAllowed = 'a text of 16 to 512 characters';
const staticDirAllowed = 'the path of a folder, or null';

/** Section `server`. */
export const serverSchema = z.strictObject(
  {
    debug: yesOrNo('Logs at level "debug" unless `logLevel` says otherwise.', false),
    workers: noted(
      z
        .preprocess(
          (value) => (typeof value === 'string' && /^\d{1,4}$/.test(value) ? Number(value) : value),
          z.union([z.literal('auto'), z.int().min(0, workersAllowed).max(1024, workersAllowed)], { error: workersAllowed }),
        )
        .default('auto'),
      {
        kind: 'number',
        explanation:
          'Processes that serve. `auto`: as many as the machine can run at once; 0: one process that forks nothing. The `memory:` store always has one.',
        allowed: workersAllowed,
        standard: '"auto"',
      },
    ),
    maxSockets: wholeNumber('Most connections of a worker to one backend address; 0: no cap.', 0, { from: 0, to: 1_000_000 }),
    httpKeepAlive: yesOrNo('Keeps connections to backends open for further requests.', true),
    backendIdleTimeout: duration('How long an idle connection to a backend is kept.', 60),

    tcpTimeout: duration(
      'Silence that is borne on a connection: default of the head, body, idle and backend timeouts. 0: no limit.',
      30,
    ),
    headTimeout: durationAs('server.tcpTimeout', 'Time for a request head to arrive, answered 408 after it.'),
    bodyTimeout: durationAs('server.tcpTimeout', 'Silence of a client in the middle of a request body.'),
    idleTimeout: durationAs('server.tcpTimeout', 'How long a client connection may stay idle between requests.'),
    backendTimeout: durationAs('server.tcpTimeout', 'Silence of a backend that has a request, answered 504 after it.'),
    connectTimeout: duration('Time for a connection to a backend to be made.', 10),
    totalTimeout: duration('Longest exchange from first to last byte, transfers included; 0: no limit.', 0),
    tunnelTimeout: duration('Silence after which a tunnel (WebSocket) is closed; 0: never.', 0),
    drainTimeout: duration('How long a stopping process lets running exchanges finish.', 30),
    drainGrace: duration(
      'How long a stopping process keeps idle client connections, so that a request on its way is answered (with `Connection: close`).',
      2,
      { from: 0, to: 3_600 },
    ),
    nodeId: noted(
      z
        .string({ error: nodeIdAllowed })
        .regex(/^[\w.-]{0,128}$/, nodeIdAllowed)
        .default(''),
      {
        kind: 'text',
        explanation:
          'Name of this node in the fleet (`node:<id>` in Redis); no two may share one. Empty: made of host name, file and addresses.',
        allowed: nodeIdAllowed,
        standard: '""',
      },
    ),

    deadBackendTTL: seconds('How long a backend stays marked dead.', 30, { from: 1, to: 31_536_000 }),
    recoveryInterval: duration(
      'How often a dead backend without a `healthcheck:` record is tried by a connection, which revives it; 0: never.',
      60,
      { from: 0, to: 86_400 },
    ),
    deadOn500: yesOrNo('Whether an answer 500 marks a backend dead.', false),
    deadOn503: choice(
      'Whether an answer 503 does. With `Retry-After` it usually means maintenance.',
      ['always', 'without-retry-after', 'never'],
      'without-retry-after',
    ),
    deadOn5xx: yesOrNo('Whether answers 501, 502 and 504 to 599 do.', true),
    deadBackendOn500: yesOrNo('Whether an answer 500 does while an active hchecker is seen.', true),
    retryOnError: wholeNumber('Further attempts after the first, each on a backend not yet tried.', 3, { from: 0, to: 100 }),
    retryBodyLimit: size('Bytes of a request body that are kept so that it can be sent again.', 65_536, {
      from: 0,
      to: 64 * mebibyte,
    }),
    strategy: choice('How a backend is chosen among those alive, where the frontend says nothing else.', strategies, 'RANDOM'),
    stickySecret: noted(
      z
        .string({ error: stickySecretAllowed })
        .regex(/^$|^.{16,512}$/s, stickySecretAllowed)
        .default(''),
      {
        kind: 'text',
        explanation:
          'What sticky cookies are signed with; the same on every node. Without it a client can make a cookie for a backend of its choice.',
        allowed: stickySecretAllowed,
        standard: '""',
      },
    ),
    engine: choice(
      'What speaks to backends: the own HTTP/1.1 engine, or the `http-proxy` package.',
      ['wire', 'http-proxy'],
      'wire',
    ),

    accessLog: noted(filePath(accessLogAllowed).default('stdout'), {
      kind: 'text',
      explanation: 'Where the access log goes. A file is opened again on SIGUSR1.',
      allowed: accessLogAllowed,
      standard: '"stdout"',
    }),
    accessLogFormat: choice('The line of the access log.', ['hipache', 'combined', 'json'], 'hipache'),
    backendCa: noted(filePaths(authoritiesAllowed).default([]), {
      kind: 'list',
      explanation: 'Authorities that `https` backends may be signed by, besides those of the system.',
      allowed: authoritiesAllowed,
      standard: '[]',
    }),
    staticDir: noted(filePath(staticDirAllowed).nullable().default(null), {
      kind: 'text',
      explanation: 'Folder of error pages (`error_502.html`, `error_default.html`); null: the shipped ones.',
      allowed: staticDirAllowed,
      standard: 'null',
    }),
    httpsPort: wholeNumber(
      'Port that clients are sent to for HTTPS, where a balancer offers it in front; 0: that of the first address in `https.bind`, else 443.',
      0,
      { from: 0, to: 65_535 },
    ),
    memoryLimit: size('Resident memory beyond which a worker is replaced at an idle moment; 0: never.', 0, {
      from: 0,
      to: 1_048_576 * mebibyte,
    }),
    workerExits: wholeNumber(
      'Exits of workers within a minute, for each worker that there should be, after which the node ends with an error; 0: it starts others as long as it runs.',
      0,
      { from: 0, to: 1_000 },
    ),

    legacyForwardedHeaders: yesOrNo(
      'Adds forwarded headers only where they are absent, whoever sent them, as Hipache does. Can be forged by clients.',
      false,
    ),
    debugHeaders: choice(
      'Who gets `x-debug-*` headers in answer to `X-Debug`: addresses in `trustedProxies`, everyone or nobody.',
      ['trusted', 'everyone', 'nobody'],
      'trusted',
    ),
    halfClosedClients: choice(
      'A client that closed its sending side while it waits: asked by an interim response whether it is there, served, or given up.',
      ['probe', 'serve', 'abort'],
      'probe',
    ),
    maxHeadBytes: size('Largest request or response head.', 32_768, { from: 1_024, to: mebibyte }),
    maxHeaderCount: wholeNumber('Most header fields of a head.', 100, { from: 10, to: 10_000 }),
    maxLineBytes: size('Longest line of a head.', 16_384, { from: 256, to: mebibyte }),
  },
  { error: 'an object' },
);
