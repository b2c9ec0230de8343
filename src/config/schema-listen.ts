// The settings of `http` and `https`: addresses to listen on, keys and certificates.
import { isIP } from 'node:net';
import * as z from 'zod';
import { authoritiesAllowed, choice, duration, filePath, filePaths, noted, seconds, wholeNumber, yesOrNo } from './fields.js';
import { keyPair } from './schema-key-pair.js';

export const addressAllowed = 'an IP address such as 127.0.0.1, 0.0.0.0 or ::';
const bindAllowed = `${addressAllowed}, or a list of them or of {"address": …, "port": …}`;
const portAllowed = 'a port from 0 to 65535';
const presets = ['modern', 'intermediate'] as const;
const secureOptionsAllowed = 'a whole number';

/** An address and, where the text has one, a port. */
export interface BindText {
  readonly address: string;
  readonly port?: number;
}

/** Parses `0.0.0.0`, `::`, `[::1]:8080`, `127.0.0.1:8080`, `localhost`; null where it is none of them. */
export function parseBindText(text: string): BindText | null {
  if (isIP(text) !== 0) return { address: text };
  const parts = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(text);
  const host = parts?.[1] ?? parts?.[2] ?? '';
  const address = host === 'localhost' ? '127.0.0.1' : host;
  const family = isIP(address);
  if (parts === null || family === 0 || (parts[1] !== undefined) !== (family === 6)) return null;
  if (parts[3] === undefined) return { address };
  const port = Number(parts[3]);
  return port > 65_535 ? null : { address, port };
}

/** A bare address stands for an object with that address, so that faults are told at one place. */
function toItem(value: unknown): unknown {
  return typeof value === 'string' ? (parseBindText(value) ?? { address: value }) : value;
}

function toList(value: unknown): unknown {
  return Array.isArray(value) || value === undefined ? value : [value];
}

export const plainAddress = z.preprocess(
  (value) => (typeof value === 'string' ? (parseBindText(value)?.address ?? value) : value),
  z.string({ error: addressAllowed }).refine((text) => isIP(text) !== 0, { error: addressAllowed }),
);
const itemPort = z
  .preprocess(
    (value) => (typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value),
    z.int({ error: portAllowed }).min(0, portAllowed).max(65_535, portAllowed),
  )
  .optional();

/** What `https` and each of its addresses may say about TLS. */
const tlsShape = {
  ...keyPair('Certificate and chain for names that the store has none for; without one they are refused.'),
  ca: noted(filePaths(authoritiesAllowed).optional(), {
    kind: 'list',
    explanation: 'Authorities of client certificates, for frontends with `clientAuth` and without `clientCa`.',
    allowed: authoritiesAllowed,
    standard: '[]',
  }),
  passphrase: noted(z.string({ error: 'a text' }).optional(), {
    kind: 'text',
    explanation: 'Passphrase of the key; an address inherits it only together with the key.',
    allowed: 'a text',
    standard: '""',
  }),
  ciphers: noted(z.string({ error: 'an OpenSSL cipher list' }).optional(), {
    kind: 'text',
    explanation: "Ciphers up to TLS 1.2; empty: Node's default.",
    allowed: 'an OpenSSL cipher list',
    standard: '""',
  }),
  secureProtocol: noted(z.string({ error: 'the name of an OpenSSL method' }).optional(), {
    kind: 'text',
    explanation: "Hipache's; replaced by `minVersion` and answered with a warning.",
    allowed: 'the name of an OpenSSL method',
    standard: '',
  }),
  secureOptions: noted(z.int({ error: secureOptionsAllowed }).optional(), {
    kind: 'number',
    explanation: "Hipache's; has no effect beyond a warning, SSLv2, SSLv3, TLS 1.0 and 1.1 are always off.",
    allowed: secureOptionsAllowed,
    standard: '',
  }),
};

const proxyProtocol = z.boolean({ error: 'true or false' }).optional();

const http = z.strictObject({ address: plainAddress, port: itemPort, proxyProtocol }, { error: bindAllowed });
const https = z.strictObject(
  {
    address: plainAddress,
    port: itemPort,
    proxyProtocol,
    ...tlsShape,
    honorCipherOrder: z.boolean({ error: 'true or false' }).optional(),
    minVersion: z.enum(['TLSv1.2', 'TLSv1.3'], { error: '"TLSv1.2", "TLSv1.3"' }).optional(),
    preset: z.enum(presets, { error: '"modern", "intermediate"' }).optional(),
  },
  { error: bindAllowed },
);

/** Section `http`. */
export const httpSchema = z.strictObject(
  {
    port: wholeNumber('Port of the addresses that name none; 0: any free one.', 80, { from: 0, to: 65_535 }),
    bind: noted(
      z.preprocess(toList, z.array(z.preprocess(toItem, http), { error: bindAllowed })).default([{ address: '127.0.0.1' }]),
      {
        kind: 'list',
        explanation: 'Addresses that HTTP is served on; `[]`: none. `::` takes IPv4 as well.',
        allowed: bindAllowed,
        standard: '["127.0.0.1"]',
      },
    ),
    http2: yesOrNo('Takes HTTP/2 in clear text too, from clients that begin with it (prior knowledge, h2c).', false),
  },
  { error: 'an object' },
);

const storeKeysAllowed = 'secrets of 32 bytes in base64 or hexadecimal, as one text with commas or a list';
const storeKeyFileAllowed = 'the path of a file with a secret a line';

/** Section `https`. */
export const httpsSchema = z.strictObject(
  {
    port: wholeNumber('Port of the addresses that name none; 0: any free one.', 443, { from: 0, to: 65_535 }),
    bind: noted(z.preprocess(toList, z.array(z.preprocess(toItem, https), { error: bindAllowed })).default([]), {
      kind: 'list',
      explanation: 'Addresses that HTTPS is served on; an object may carry any key of this section.',
      allowed: bindAllowed,
      standard: '[]',
    }),
    ...tlsShape,
    http2: yesOrNo('Offers HTTP/2 by ALPN.', true),
    honorCipherOrder: yesOrNo("Prefers the order of `ciphers` to the client's.", true),
    minVersion: choice('Lowest protocol that clients may use.', ['TLSv1.2', 'TLSv1.3'], 'TLSv1.2'),
    preset: choice(
      "Mozilla's recommendations: `intermediate` speaks TLS 1.2 and 1.3, `modern` TLS 1.3 alone. `ciphers` and `minVersion` may narrow it.",
      presets,
      'intermediate',
    ),
    certificateEntries: wholeNumber('Certificates of the store that a worker keeps in memory.', 2_000, {
      from: 10,
      to: 1_000_000,
    }),
    ticketRotation: duration(
      'How often the keys that session tickets are sealed with are replaced on all nodes; 0: never.',
      43_200,
      { from: 0, to: 2_147_483 },
    ),
    ticketLifetime: seconds('How long a TLS session may be resumed.', 7_200, { from: 1, to: 604_800 }),
    storeKeys: noted(
      z
        .preprocess(
          (value) => (typeof value === 'string' ? value.split(',').map((text) => text.trim()) : value),
          z.array(z.string({ error: storeKeysAllowed }).regex(/^(?:[\w+/-]{43}=?|[0-9a-f]{64})$/i, storeKeysAllowed), {
            error: storeKeysAllowed,
          }),
        )
        .default([]),
      {
        kind: 'list',
        explanation:
          'Secrets that private keys in the store may be encrypted with; the first one encrypts. See `cjs-proxy encrypt-key`.',
        allowed: storeKeysAllowed,
        standard: '[]',
      },
    ),
    storeKeyFile: noted(filePath(storeKeyFileAllowed).optional(), {
      kind: 'text',
      explanation: 'A file with such secrets, which come after those of `storeKeys`.',
      allowed: storeKeyFileAllowed,
      standard: '',
    }),
  },
  { error: 'an object' },
);

/** Section `admin`. */
export const adminSchema = z.strictObject(
  {
    port: wholeNumber('Port of `/ready`, `/live` and `/metrics`; 0: they are not served.', 0, { from: 0, to: 65_535 }),
    address: noted(plainAddress.default('127.0.0.1'), {
      kind: 'text',
      explanation: "Address of it. What it tells is not secret, but is nobody's business outside.",
      allowed: addressAllowed,
      standard: '"127.0.0.1"',
    }),
  },
  { error: 'an object' },
);

export type TlsSettings = z.output<typeof httpsSchema>;
export type TlsBindSettings = z.output<typeof https>;
