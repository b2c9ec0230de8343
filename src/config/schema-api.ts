// The settings of `api`: where the management answers, and whom.
import * as z from 'zod';
import { authoritiesAllowed, duration, filePath, filePaths, noted, size, wholeNumber } from './fields.js';
import { keyPair } from './schema-key-pair.js';
import { addressAllowed, plainAddress } from './schema-listen.js';

const tokensAllowed =
  'a list of {"name": "ci", "sha256": "…", "role": "read", "write" or "admin", "hosts": ["example.com", "*.example.com"]}';
const nameAllowed = 'a name of 1 to 64 letters, digits and any of . _ -';
const digestAllowed = 'the SHA-256 of a token as 64 hexadecimal digits: printf %s TOKEN | sha256sum';
const hostAllowed = 'a host such as "example.com", or "*.example.com" for all below it';
const urlAllowed = 'a URL such as https://proxy.internal:8081';
const tokenFileAllowed = 'the path of a file with a token in it';

const token = z.strictObject(
  {
    name: z.string({ error: nameAllowed }).regex(/^[\w.-]{1,64}$/, nameAllowed),
    sha256: z
      .string({ error: digestAllowed })
      .regex(/^[0-9a-f]{64}$/i, digestAllowed)
      .transform((text) => text.toLowerCase()),
    role: z.enum(['read', 'write', 'admin'], { error: '"read", "write", "admin"' }),
    hosts: z
      .array(
        z
          .string({ error: hostAllowed })
          .regex(/^(?:\*\.)?[a-z0-9[][a-z0-9.:\]-]{0,254}$/i, hostAllowed)
          .transform((text) => text.toLowerCase()),
        { error: hostAllowed },
      )
      .default([]),
  },
  { error: tokensAllowed },
);

/** Section `api`. */
export const apiSchema = z.strictObject(
  {
    port: wholeNumber('Port of the management API; 0: 8081 for `cjs-proxy api`, and none in a node.', 0, { from: 0, to: 65_535 }),
    bind: noted(plainAddress.default('127.0.0.1'), {
      kind: 'text',
      explanation: 'Address of it. Any but one of this machine alone needs `tokens` or `clientCa`.',
      allowed: addressAllowed,
      standard: '"127.0.0.1"',
    }),
    tokens: noted(z.array(token, { error: tokensAllowed }).max(1_000, tokensAllowed).default([]), {
      kind: 'list',
      explanation:
        'Who may call it. `hosts` lets a token do nothing but what is about frontends of these. Without any, whoever reaches the address may do everything.',
      allowed: tokensAllowed,
      standard: '[]',
    }),
    ...keyPair('Certificate and chain: the API is served by HTTPS then.'),
    clientCa: noted(filePaths(authoritiesAllowed).default([]), {
      kind: 'list',
      explanation: 'Authorities of client certificates: whoever shows none of theirs cannot connect.',
      allowed: authoritiesAllowed,
      standard: '[]',
    }),
    maxBody: size('Largest body of a request.', 1_048_576, { from: 1_024, to: 1_073_741_824 }),
    maxImport: size('Largest document that is imported.', 67_108_864, { from: 1_024, to: 1_073_741_824 }),
    requestTimeout: duration('Time for a request to be there as a whole.', 30, { from: 1, to: 3_600 }),
    url: noted(
      z
        .string({ error: urlAllowed })
        .refine((text) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol), urlAllowed)
        .optional(),
      {
        kind: 'text',
        explanation: 'Where the command line finds the API; absent: at `bind` and `port`.',
        allowed: urlAllowed,
        standard: '',
      },
    ),
    tokenFile: noted(filePath(tokenFileAllowed).optional(), {
      kind: 'text',
      explanation: 'What the command line sends as its token.',
      allowed: tokenFileAllowed,
      standard: '',
    }),
    failures: wholeNumber('Refused tokens from one address, in a minute, after which it is not listened to for another.', 20, {
      from: 1,
      to: 100_000,
    }),
  },
  { error: 'an object' },
);
