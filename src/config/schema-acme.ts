// The section `acme`: where certificates are had from, on whose behalf, and how names are proved.
import * as z from 'zod';
import { authoritiesAllowed, duration, filePath, filePaths, noted, wholeNumber, yesOrNo } from './fields.js';

const directoryAllowed = 'an https: URL, or an empty text';
const contactAllowed = 'mail addresses such as "admin@example.com"';
const challengesAllowed = 'a list of "http-01", "tls-alpn-01", "dns-01"';
const hookAllowed = 'the path of a program';
const keyIdAllowed = 'the key identifier that the authority gave';
const macKeyAllowed = 'the key that the authority gave, in base64url';
const challengeKinds = ['http-01', 'tls-alpn-01', 'dns-01'] as const;

function listOf(value: unknown): unknown {
  return typeof value === 'string' ? value.split(',').map((part) => part.trim()) : value;
}

function isSecureUrl(text: string): boolean {
  return text === '' || (URL.canParse(text) && new URL(text).protocol === 'https:');
}

export const acmeSchema = z.strictObject(
  {
    directory: noted(z.string({ error: directoryAllowed }).refine(isSecureUrl, { error: directoryAllowed }).default(''), {
      kind: 'text',
      explanation:
        'Directory of the certificate authority, such as `https://acme-v02.api.letsencrypt.org/directory`; empty: no certificates are ordered. See [acme.md](acme.md).',
      allowed: directoryAllowed,
      standard: '""',
    }),
    agreeTerms: yesOrNo('That you agree to the terms of service of the authority. Nothing is ordered without it.', false),
    contact: noted(
      z
        .preprocess(
          listOf,
          z.array(z.string({ error: contactAllowed }).regex(/^[^\s@,?]+@[^\s@,?]+$/, contactAllowed), { error: contactAllowed }),
        )
        .default([]),
      { kind: 'list', explanation: 'Whom the authority may write to.', allowed: contactAllowed, standard: '[]' },
    ),
    challenges: noted(
      z
        .preprocess(
          listOf,
          z.array(z.enum(challengeKinds, { error: challengesAllowed }), { error: challengesAllowed }).min(1, challengesAllowed),
        )
        .default(['http-01', 'tls-alpn-01']),
      {
        kind: 'list',
        explanation:
          'How names are proved, the preferred way first; after a failure the next one is tried. `dns-01` needs `dnsHook`.',
        allowed: challengesAllowed,
        standard: '["http-01", "tls-alpn-01"]',
      },
    ),
    dnsHook: noted(filePath(hookAllowed).optional(), {
      kind: 'text',
      explanation: 'Program that makes and removes DNS records for `dns-01`.',
      allowed: hookAllowed,
      standard: '',
    }),
    dnsHookTimeout: duration('How long it may take.', 120, { from: 1, to: 3_600 }),
    ca: noted(filePaths(authoritiesAllowed).default([]), {
      kind: 'list',
      explanation: "Authorities that the directory's own certificate may be signed by, besides those of the system.",
      allowed: authoritiesAllowed,
      standard: '[]',
    }),
    eabKeyId: noted(z.string({ error: keyIdAllowed }).default(''), {
      kind: 'text',
      explanation: 'Key identifier of an external account binding.',
      allowed: keyIdAllowed,
      standard: '""',
    }),
    eabKey: noted(
      z
        .string({ error: macKeyAllowed })
        .regex(/^[\w-]*=*$/, macKeyAllowed)
        .default(''),
      {
        kind: 'text',
        explanation: 'Key of an external account binding; needed once, to register.',
        allowed: macKeyAllowed,
        standard: '""',
      },
    ),
    onDemand: yesOrNo(
      'Also orders for names that clients ask for and that a frontend other than `*` serves, without `autoHttps`, and for hosts below a wildcard.',
      false,
    ),
    onDemandPerHour: wholeNumber('Orders for such names in an hour, of all nodes together.', 20, { from: 1, to: 100_000 }),
    retryDelay: duration('Wait after a failed order of a name; doubled with each further failure, up to a day.', 60, {
      from: 1,
      to: 86_400,
    }),
  },
  { error: 'an object' },
);
