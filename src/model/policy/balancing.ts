// Policy: how a backend is chosen, and how a client stays with it.
import * as z from 'zod';
import { duration, durationAs, noted } from '../../config/fields.js';
import { strategies, strategiesAllowed } from '../../config/strategy.js';
import { jsonField, textField } from './field.js';

const hashOnAllowed = '"path", "header:NAME", "cookie:NAME" or "query:NAME"';
const weightAllowed = 'a number from 0 to 1000000';
const weightsAllowed = 'an object of backend ids and weights, such as {"node-1": 3, "node-2": 0}';
const stickyAllowed = 'true, false or an object with any of cookie, ttl, domain, path, secure and sameSite';
const cookieAllowed = "1 to 64 letters, digits and any of !#$%&'*+-.^_`|~";
const pathAllowed = 'a path that begins with a slash and has no semicolon';
const domainAllowed = 'a domain name such as "example.com"';
const sameSiteAllowed = '"Lax", "Strict" or "None"';

/** RFC 9110 section 5.6.2; a cookie's name is one too (RFC 6265 section 4.1.1). */
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$/;

/** What a client is told apart by. */
const hashOn = z
  .string({ error: hashOnAllowed })
  .regex(/^(path|header:[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}|(cookie|query):[^\s;=&]{1,64})$/, hashOnAllowed)
  .transform((text): HashOn => {
    const colon = text.indexOf(':');
    return colon === -1
      ? { kind: 'path', name: '' }
      : { kind: text.slice(0, colon) as HashOn['kind'], name: text.slice(colon + 1) };
  });

/** What `HASH` hashes. */
export interface HashOn {
  readonly kind: 'path' | 'header' | 'cookie' | 'query';
  /** Of the header, the cookie or the part of the query; empty for the path. */
  readonly name: string;
}

const sticky = z
  .strictObject(
    {
      /** Name of the cookie; absent: one that tells the frontends of a host apart. */
      cookie: z.string({ error: cookieAllowed }).regex(token, cookieAllowed).optional(),
      /** Milliseconds that a client stays with a backend from its first request on; absent or 0: until the browser is closed. */
      ttl: durationAs('none', 'How long the cookie is kept.'),
      /** Hosts below it share the cookie; absent: the asked host alone has it. */
      domain: z
        .string({ error: domainAllowed })
        .regex(/^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i, domainAllowed)
        .optional(),
      path: z
        .string({ error: pathAllowed })
        .regex(/^\/[!-:<-~]{0,255}$/, pathAllowed)
        .default('/'),
      /** Absent: where the client came by https. */
      secure: z.boolean({ error: 'true or false' }).optional(),
      sameSite: z.preprocess(capitalised, z.enum(['Lax', 'Strict', 'None'], { error: sameSiteAllowed }).optional()),
    },
    {
      error: (issue) =>
        issue.code === 'unrecognized_keys' ? 'only cookie, ttl, domain, path, secure and sameSite' : stickyAllowed,
    },
  )
  .refine(({ secure, sameSite }) => sameSite !== 'None' || secure !== false, {
    path: ['sameSite'],
    error: '"Lax" or "Strict" while secure is false: browsers refuse "None" then',
  });

/** A sticky cookie as it was asked for. */
export type Sticky = z.output<typeof sticky>;

export const balancingFields = {
  /** Absent: `server.strategy`. */
  strategy: textField(
    noted(z.enum(strategies, { error: strategiesAllowed }).optional(), {
      kind: 'choice',
      explanation: 'How a backend is chosen.',
      allowed: strategiesAllowed,
      standard: 'server.strategy',
    }),
  ),
  /** What `HASH` hashes; absent, or without a value in a request: the address of the client. */
  hashOn: textField(hashOn.optional()),
  /** Weight by backend id, in place of the option `weight` of the list entry; 0: no new sessions. */
  weights: jsonField(
    noted(
      z
        .record(z.string(), z.number({ error: weightAllowed }).min(0, weightAllowed).max(1_000_000, weightAllowed), {
          error: weightsAllowed,
        })
        .optional(),
      { kind: 'list', explanation: 'Weights by backend id.', allowed: weightsAllowed, standard: 'those of the list' },
    ),
  ),
  /** A cookie that keeps a client with its backend; absent: none. */
  sticky: jsonField(
    noted(z.preprocess(stickyOrNot, sticky.optional()), {
      kind: 'list',
      explanation: 'A cookie that keeps a client with its backend.',
      allowed: stickyAllowed,
      standard: 'false',
    }),
  ),
  /** Milliseconds in which a backend that came back, or is new to the list, grows to its share; 0: it has it at once. */
  slowStart: jsonField(duration('How long a backend that came back grows to its share.', 0, { from: 0, to: 86_400 })),
};

function stickyOrNot(value: unknown): unknown {
  if (value === true) return {};
  return value === false ? undefined : value;
}

function capitalised(value: unknown): unknown {
  return typeof value === 'string' && value !== '' ? value[0]!.toUpperCase() + value.slice(1).toLowerCase() : value;
}
