// The section `streams`: TCP listeners, and the fields that the hash `stream:<name>` may change while they run.
import { isIP } from 'node:net';
import * as z from 'zod';
import { endpointTarget, readEndpoint } from './endpoint.js';
import { choice, duration, durationAs, filePath, noted, size, wholeNumber, yesOrNo } from './fields.js';
import { framingSchema } from './schema-framing.js';
import { strategies, strategiesAllowed } from './strategy.js';
import { streamModes } from './stream-config.js';

const most = 10_000_000;
const gibibyte = 1 << 30;
const streamAllowed = 'an object with name, port or path, and targets';
const streamsAllowed = `${streamAllowed}, or a list of them`;
const nameAllowed = '1 to 64 letters, digits and any of . _ -';
const addressAllowed = 'an IP address such as 127.0.0.1, 0.0.0.0 or ::';
const portAllowed = 'a port from 0 to 65535';
const pathAllowed = 'the absolute path of a unix socket, up to 107 bytes';
const targetsAllowed = 'a list of targets such as "tcp://10.0.0.1:5432", "tls://db.example:5433" or "unix:/run/db.sock"';
const routesAllowed = 'a list of objects such as {"hostname": "*.example.com", "to": 8090}';
const handlerAllowed = 'true, false, or an endpoint: a port, a path, {"port", "host"} or {"path"}, "tcp://host:port"';
const tlsAllowed = 'an object with key and cert, the paths of PEM files';

/** What is done in place of serving a client. */
function handler(explanation: string) {
  const schema = z.preprocess(
    (value) => {
      if (typeof value === 'boolean' || (typeof value === 'string' && /^(?:tcp:\/\/|unix:\/)/.test(value))) return value;
      const endpoint = readEndpoint(value);
      return typeof endpoint === 'string' ? null : endpointTarget(endpoint);
    },
    z.union([z.boolean(), z.string()], { error: handlerAllowed }),
  );
  return noted(schema.default(true), { kind: 'text', explanation, allowed: handlerAllowed, standard: 'true' });
}

/** What may be set in the file and, while the stream runs, in its hash. */
export const streamSettingFields = {
  mode: choice(
    'A connection each, or all clients over one connection, or over a number of them; l4: a connection each, to where the host leads.',
    streamModes,
    'proxy',
  ),
  strategy: noted(z.enum(strategies, { error: strategiesAllowed }).optional(), {
    kind: 'choice',
    explanation: 'How a target is chosen; what is hashed is the address of the client.',
    allowed: strategiesAllowed,
    standard: 'server.strategy',
  }),
  maxConnections: wholeNumber('Clients at a time, of all workers; 0: any number.', 0, { from: 0, to: most }),
  overflow: choice('What becomes of a client beyond that number.', ['drop', 'wait'], 'drop'),
  waitTimeout: duration('How long a client waits for its turn.', 10),
  targetConnections: wholeNumber('Connections to one target at a time, of all workers; 0: any number.', 0, { from: 0, to: most }),
  connections: wholeNumber('Upstream connections of a funnel, of all workers; 0: one a target.', 0, { from: 0, to: 10_000 }),
  async: yesOrNo('A funnel sends the next message before the last one is answered.', false),
  /** How fifo and funnel part messages. Without a note, so that a fault tells what is wrong inside of it. */
  framing: framingSchema.default({ kind: 'chunk' }),
  maxMessage: size('Largest message of fifo and funnel.', 1 << 20, { from: 1, to: gibibyte }),
  maxWaiting: size('Bytes that may wait in fifo and funnel.', 16 << 20, { from: 1, to: gibibyte }),
  inactivityTimeout: duration('Silence of both sides after which a connection is closed; 0: never.', 0),
  connectTimeout: durationAs('server.connectTimeout', 'Time for a connection to a target to be made.'),
  keepAlive: duration('Silence after which TCP asks whether the other side is there; 0: never.', 60),
  retries: wholeNumber('Further targets that are tried when one cannot be connected to.', 2, { from: 0, to: 100 }),
  sendProxyProtocol: choice('PROXY header that targets are sent.', ['none', 'v1', 'v2'], 'none'),
  checkInterval: duration('How often targets that are alive are connected to, to see whether they are; 0: never.', 0),
  cutBlocked: yesOrNo('Cuts the connections of an address that is put on a block list while they run.', false),
  secure: yesOrNo('l4: clients speak TLS, which is passed on as it is.', false),
  specTimeout: duration('l4: how long a client may say nothing; 0: as long as it likes.', 1),
  responseTimeout: durationAs(
    'server.backendTimeout',
    'l4: how long a target may take to its first byte; 0: as long as it likes.',
  ),
  '404': handler('l4: what a client gets that no route is meant for.'),
  '500': handler('l4: what a client gets whose target cannot be connected to.'),
  '504': handler('l4: what a client gets whose target says nothing.'),
};

const tls = z.strictObject(
  {
    key: filePath('the path of a PEM file with a private key'),
    cert: filePath('the path of a PEM file with a certificate and its chain'),
    minVersion: z.enum(['TLSv1.2', 'TLSv1.3'], { error: '"TLSv1.2", "TLSv1.3"' }).default('TLSv1.2'),
  },
  { error: tlsAllowed },
);

const stream = z.strictObject(
  {
    name: z.string({ error: nameAllowed }).regex(/^[A-Za-z0-9._-]{1,64}$/, nameAllowed),
    address: z
      .preprocess((value) => (value === 'localhost' ? '127.0.0.1' : value), z.string({ error: addressAllowed }))
      .refine((text) => isIP(text) !== 0, { error: addressAllowed })
      .default('127.0.0.1'),
    port: z
      .preprocess(
        (value) => (typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value),
        z.int({ error: portAllowed }).min(0, portAllowed).max(65_535, portAllowed),
      )
      .optional(),
    path: z
      .string({ error: pathAllowed })
      .refine((text) => text.startsWith('/') && !text.includes('\0') && Buffer.byteLength(text) <= 107, { error: pathAllowed })
      .optional(),
    proxyProtocol: z.boolean({ error: 'true or false' }).default(false),
    tls: tls.optional(),
    targets: z
      .preprocess(
        (value) => (typeof value === 'string' ? [value] : value),
        z.array(z.string({ error: targetsAllowed }), { error: targetsAllowed }),
      )
      .default([]),
    /** Of the mode l4. */
    routes: z.array(z.record(z.string(), z.unknown(), { error: routesAllowed }), { error: routesAllowed }).default([]),
    ...streamSettingFields,
  },
  { error: streamAllowed },
);

/** Section `streams`. */
export const streamsSchema = noted(
  z
    .preprocess(
      (value) => (Array.isArray(value) || value === undefined ? value : [value]),
      z.array(stream, { error: streamsAllowed }),
    )
    .default([]),
  {
    kind: 'list',
    explanation: 'TCP listeners; see [tcp.md](tcp.md).',
    allowed: streamsAllowed,
    standard: '[]',
  },
);

/** Names of what a stream may say, for messages about unknown ones. */
export const streamKeys: readonly string[] = Object.keys(stream.shape);

export type StreamItemSettings = z.output<typeof stream>;
