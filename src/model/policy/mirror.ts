// Policy: a share of requests that is sent to another address as well, whose answers nobody gets.
import * as z from 'zod';
import { duration, noted, size, wholeNumber } from '../../config/fields.js';
import type { Backend } from '../backend.js';
import { parseBackend } from '../parse-backend.js';
import { jsonField } from './field.js';

const mirrorAllowed =
  'an object {"to": "http://10.0.0.9:80", "share": 0.1, "maxBody": "64KiB", "timeout": "10s", "maxActive": 128}';
const toAllowed = 'an address such as http://10.0.0.9:80, https://name or unix:/path';
const shareAllowed = 'a number from 0 to 1';

const address = z.string({ error: toAllowed }).transform((text, context): Backend => {
  const parsed = parseBackend(text, 0);
  if (parsed.kind === 'backend') return parsed.backend;
  context.addIssue({ code: 'custom', message: `${toAllowed}; this one ${parsed.text}` });
  return z.NEVER;
});

const mirror = z.strictObject(
  {
    to: address,
    share: z.number({ error: shareAllowed }).min(0, shareAllowed).max(1, shareAllowed).default(1),
    maxBody: size('Largest request body that is copied.', 65_536, { from: 0, to: 16_777_216 }),
    timeout: duration('Longest time that a copy may take, its answer included.', 10, { from: 0.001, to: 3_600 }),
    maxActive: wholeNumber('Most copies of a frontend that a worker has under way; those beyond are left out.', 128, {
      from: 1,
      to: 10_000,
    }),
  },
  { error: (issue) => (issue.code === 'unrecognized_keys' ? 'only to, share, maxBody, timeout and maxActive' : mirrorAllowed) },
);

export const mirrorFields = {
  mirror: jsonField(
    noted(mirror.optional(), {
      kind: 'text',
      explanation: 'Another address that gets a copy of a share of the requests.',
      allowed: mirrorAllowed,
      standard: 'none',
    }),
  ),
};

/** A mirror as it was understood. */
export type Mirroring = z.output<typeof mirror>;
