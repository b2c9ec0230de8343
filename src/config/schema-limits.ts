// The section `limits`: which tier limits frontends that name none, and how limits are kept and told.
import * as z from 'zod';
import { choice, noted, wholeNumber, yesOrNo } from './fields.js';

const tierAllowed = 'the name of a tier: 1 to 64 letters, digits and any of . _ -; or an empty text';

export const limitsSchema = z.strictObject(
  {
    tier: noted(
      z
        .string({ error: tierAllowed })
        .regex(/^[A-Za-z0-9._-]{0,64}$/, tierAllowed)
        .default(''),
      {
        kind: 'text',
        explanation:
          'Tier of frontends that name none, such as `anonymous`; an empty text: they are not limited. See [rate-limits.md](rate-limits.md).',
        allowed: tierAllowed,
        standard: '""',
      },
    ),
    whenAway: choice(
      'While Redis is away: nobody is limited, each node counts by itself, or what must be counted is answered 503.',
      ['open', 'local', 'closed'],
      'local',
    ),
    headers: choice(
      'What clients are told: `RateLimit` and `RateLimit-Policy`, the older `X-RateLimit-*`, both or nothing.',
      ['standard', 'legacy', 'both', 'none'],
      'standard',
    ),
    clients: wholeNumber('Clients that a worker remembers; those who came least recently are forgotten first.', 200_000, {
      from: 1_000,
      to: 10_000_000,
    }),
    referer: yesOrNo(
      'Whether a host in `Referer` that is in the set `registered` or `premium` raises a client, as in cjs-proxy. Anybody can send it.',
      false,
    ),
  },
  { error: 'an object' },
);
