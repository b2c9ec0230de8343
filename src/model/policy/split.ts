// Policy: how requests are parted among groups of a frontend's backends, and what pins a client to a group.
import * as z from 'zod';
import { durationAs, noted } from '../../config/fields.js';
import { jsonField } from './field.js';

const splitAllowed =
  'an object {"groups": [{"name": "stable", "weight": 95}, {"name": "canary", "weight": 5, "backends": ["id"]}], "header": "X-Group", "cookie": "group"}';
const nameAllowed = '1 to 64 letters, digits, dots, hyphens and underscores';
const weightAllowed = 'a number from 0 to 1000000';
const groupsAllowed = 'a list of 1 to 64 groups with different names';
const fieldAllowed = 'the name of a header field';
const cookieAllowed = 'the name of a cookie, or an object {"name": "group", "ttl": "1d"}';

/** RFC 9110 section 5.6.2; a cookie's name is one too (RFC 6265 section 4.1.1). */
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$/;

const group = z.strictObject({
  /** Fit for a header value and for a cookie as it stands. */
  name: z.string({ error: nameAllowed }).regex(/^[0-9A-Za-z._-]{1,64}$/, nameAllowed),
  /** Share of new clients, relative to the other groups; 0: only those that are pinned to it. */
  weight: z.number({ error: weightAllowed }).min(0, weightAllowed).max(1_000_000, weightAllowed).default(1),
  /** Ids of its backends, besides those whose list entry has the option `group`. */
  backends: z.array(z.string(), { error: 'a list of backend ids' }).max(10_000).default([]),
});

const cookieName = z.string({ error: cookieAllowed }).regex(token, cookieAllowed);

const cookie = z.union(
  [
    cookieName.transform((name) => ({ name, ttl: undefined })),
    /** `ttl` in milliseconds; absent: until the browser is closed. */
    z.strictObject({ name: cookieName, ttl: durationAs('none', 'How long the cookie is kept.') }),
  ],
  { error: cookieAllowed },
);

const split = z.strictObject(
  {
    groups: z
      .array(group, { error: groupsAllowed })
      .min(1, groupsAllowed)
      .max(64, groupsAllowed)
      .refine((groups) => new Set(groups.map(({ name }) => name)).size === groups.length, { error: groupsAllowed }),
    /** A request field whose value names the group. */
    header: z.string({ error: fieldAllowed }).regex(token, fieldAllowed).optional(),
    /** A cookie that names the group; set so that a client stays in its group. */
    cookie: cookie.optional(),
  },
  { error: (issue) => (issue.code === 'unrecognized_keys' ? 'only groups, header and cookie' : splitAllowed) },
);

export const splitFields = {
  split: jsonField(
    noted(split.optional(), {
      kind: 'list',
      explanation: 'Groups of backends and the share of clients that each gets.',
      allowed: splitAllowed,
      standard: 'none',
    }),
  ),
};

/** A split as it was understood. */
export type Split = z.output<typeof split>;
