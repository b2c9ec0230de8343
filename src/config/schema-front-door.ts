// The section `frontDoor`: how many connections a node and how many bytes a worker takes, from whom, how slow they may be, and what it does when it is too much.
import * as z from 'zod';
import { duration, filePath, noted, size, wholeNumber } from './fields.js';

const connectionsAllowed = 'a whole number from 0 to 10000000, or "auto"';
const fileAllowed = 'the path of a file, or null';
const targetsAllowed = 'a list of "encoded-slash", "nul" and "dot-segment"';

const gibibyte = 1_073_741_824;

/** What a path may be refused for. */
const targetTraps = ['encoded-slash', 'nul', 'dot-segment'] as const;

export const frontDoorSchema = z.strictObject(
  {
    connections: noted(
      z
        .preprocess(
          (value) => (typeof value === 'string' && /^\d{1,8}$/.test(value) ? Number(value) : value),
          z.union([z.literal('auto'), z.int().min(0, connectionsAllowed).max(10_000_000, connectionsAllowed)], {
            error: connectionsAllowed,
          }),
        )
        .default('auto'),
      {
        kind: 'number',
        explanation:
          'Most connections of clients to the node, those to streams included; further ones are closed. `auto`: no number for the node, but each worker takes three quarters of the files that a process may open, so that backends can still be reached; 0: no cap.',
        allowed: connectionsAllowed,
        standard: '"auto"',
      },
    ),
    connectionsPerAddress: wholeNumber(
      'Most connections to the node from one address (IPv6: one /64) that is not in `trustedProxies`, streams aside; 0: no cap.',
      0,
      { from: 0, to: 1_000_000 },
    ),
    requestsPerConnection: wholeNumber(
      'Requests after which a client connection is closed, the last one answered with `Connection: close`; 0: no limit.',
      0,
      { from: 0, to: 1_000_000_000 },
    ),
    http2Streams: wholeNumber('Requests that an HTTP/2 connection may have running at a time; 0: any number.', 100, {
      from: 0,
      to: 1_000_000,
    }),
    http2Resets: wholeNumber(
      'Requests that an HTTP/2 connection may break off in ten seconds before it is ended (GOAWAY); 0: any number.',
      200,
      { from: 0, to: 1_000_000 },
    ),
    http2ControlFrames: wholeNumber(
      'PING and SETTINGS frames that an HTTP/2 connection may send in ten seconds, and empty frames in all, before it is ended; 0: any number.',
      200,
      { from: 0, to: 1_000_000 },
    ),
    minBodyRate: size(
      'Bytes a second at which a request body has to come on average, while the proxy takes it; 0: any pace. See `bodyGrace`.',
      100,
      { from: 0, to: gibibyte },
    ),
    bodyGrace: duration(
      'How far a body may fall behind `minBodyRate`, at its beginning or after a pause, before 408 ends it.',
      30,
      {
        from: 0.1,
        to: 86_400,
      },
    ),
    maxBuffered: size(
      'Bytes that a worker keeps for its clients: bodies kept for another attempt, answers that slow clients have not taken, pipelined requests. Beyond it no body is read ahead and new requests are answered 503; 0: no bound.',
      gibibyte / 4,
      { from: 0, to: 1024 * gibibyte },
    ),
    blocklistFile: noted(filePath(fileAllowed).nullable().default(null), {
      kind: 'text',
      explanation:
        'File of addresses and ranges that are refused, one a line, `#` begins a comment; read again when it changes. Besides it the set `blocklist` counts.',
      allowed: fileAllowed,
      standard: 'null',
    }),
    overloadDelay: duration(
      'Mean delay of the event loop from which on a worker sheds load: new connections are answered 503 at once, from twice the delay on all new requests; 0: never.',
      1,
      { from: 0, to: 60 },
    ),
    overloadPatience: duration('How long an overload may last before health checks (`__ping__`) fail.', 10, {
      from: 0,
      to: 3_600,
    }),
    refusedPaths: noted(
      z
        .preprocess(
          (value) => (typeof value === 'string' ? [value] : value),
          z.array(z.enum(targetTraps, { error: targetsAllowed }), { error: targetsAllowed }),
        )
        .default([]),
      {
        kind: 'list',
        explanation:
          'Paths that are answered 400: `encoded-slash` (`%2F`, `%5C` and `\\`), `nul` (`%00`), `dot-segment` (`.` and `..`, also as `%2e` or with `;`).',
        allowed: targetsAllowed,
        standard: '[]',
      },
    ),
  },
  { error: 'an object' },
);
