// The settings of `redis`: how it is reached, what is kept of it, and what is done while it is away.
import * as z from 'zod';
import { authoritiesAllowed, choice, duration, filePath, filePaths, noted, wholeNumber } from './fields.js';

const keyAllowed = 'the path of a PEM file with a private key';
const certAllowed = 'the path of a PEM file with a certificate and its chain';
const snapshotAllowed = 'the path of a file in a folder that the workers may write to';
const nameAllowed = 'a host name';

/** Section `redis`. */
export const redisSchema = z.strictObject(
  {
    cacheEntries: wholeNumber('Records that a worker keeps in memory.', 100_000, { from: 1, to: 100_000_000 }),
    timeout: duration('Time for a connection or a command.', 1, { from: 0.01, to: 300 }),
    maxStale: duration('How long known routes are served while Redis is away; 0: for as long as it takes.', 0),
    lookupWait: duration(
      'How long a request for a host that was never asked for waits for its look-up before it is answered 503; four times the usual reply of Redis where that is more.',
      0.03,
      { from: 0.001, to: 300 },
    ),
    emptyMeans: choice(
      'What it means when a Redis that held frontends is suddenly empty (flushed, started without its data): there are none, or the last known ones are served until one is written.',
      ['trust', 'keep'],
      'trust',
    ),
    snapshot: noted(filePath(snapshotAllowed).optional(), {
      kind: 'text',
      explanation:
        'File that what was read of Redis is kept in, for a node that starts while Redis is away; with workers, one for each beside it.',
      allowed: snapshotAllowed,
      standard: '',
    }),
    ca: noted(filePaths(authoritiesAllowed).default([]), {
      kind: 'list',
      explanation: 'Authorities that the certificates of `rediss:` servers may be signed by, besides the well-known ones.',
      allowed: authoritiesAllowed,
      standard: '[]',
    }),
    cert: noted(filePath(certAllowed).optional(), {
      kind: 'text',
      explanation: 'Client certificate for `rediss:` servers that ask for one.',
      allowed: certAllowed,
      standard: '',
    }),
    key: noted(filePath(keyAllowed).optional(), {
      kind: 'text',
      explanation: 'Private key that belongs to `cert`.',
      allowed: keyAllowed,
      standard: '',
    }),
    servername: noted(
      z
        .string({ error: nameAllowed })
        .regex(/^[\w.-]+$/, { error: nameAllowed })
        .optional(),
      {
        kind: 'text',
        explanation: 'Name in the certificates of `rediss:` servers, where it is not the host of the URL.',
        allowed: nameAllowed,
        standard: '',
      },
    ),
  },
  { error: 'an object' },
);
