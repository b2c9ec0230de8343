// The setting `framing` of a stream: a word, or an object where a rule has numbers.
import * as z from 'zod';
import type { FramingSetting } from './stream-config.js';

/** What a message says is allowed. */
export const framingAllowed =
  '"chunk", "line", "resp", {"type": "length-prefix", "size": 4, "offset": 0, "endianness": "big", "includesHeader": false} or {"type": "idle-gap", "milliseconds": 20}';

const sizeAllowed = '1, 2, 3, 4, 6 or 8';
const offsetAllowed = 'a whole number from 0 to 64';
const gapAllowed = 'milliseconds from 1 to 60000';

const word = z.enum(['chunk', 'line', 'resp'], { error: framingAllowed }).transform((kind): FramingSetting => ({ kind }));
const plain = z
  .strictObject({ type: z.enum(['chunk', 'line', 'resp']) }, { error: framingAllowed })
  .transform(({ type }): FramingSetting => ({ kind: type }));
const lengthPrefix = z
  .strictObject(
    {
      type: z.literal('length-prefix'),
      size: z.literal([1, 2, 3, 4, 6, 8], { error: sizeAllowed }).default(4),
      offset: z.int({ error: offsetAllowed }).min(0, offsetAllowed).max(64, offsetAllowed).default(0),
      endianness: z.enum(['big', 'little'], { error: '"big" or "little"' }).default('big'),
      includesHeader: z.boolean({ error: 'true or false' }).default(false),
    },
    { error: framingAllowed },
  )
  .transform(({ type, ...rest }): FramingSetting => ({ kind: type, ...rest }));
const idleGap = z
  .strictObject(
    {
      type: z.literal('idle-gap'),
      milliseconds: z.int({ error: gapAllowed }).min(1, gapAllowed).max(60_000, gapAllowed).default(20),
    },
    { error: framingAllowed },
  )
  .transform(({ type, milliseconds }): FramingSetting => ({ kind: type, milliseconds }));

const object = z.discriminatedUnion('type', [plain, lengthPrefix, idleGap], { error: framingAllowed });

/** Words that need no numbers stand alone; the others may too, with the numbers that are usual. */
export const framingSchema = z.preprocess(
  (value) => (value === 'length-prefix' || value === 'idle-gap' ? { type: value } : value),
  z.union([word, object], { error: (issue) => telling(issue) }),
);

/** An object with a known type is told what is wrong inside it. */
function telling(issue: z.core.$ZodRawIssue): string {
  const errors = issue.code === 'invalid_union' ? issue.errors : [];
  const inner = errors.flat().find((one) => one.path.length > 0 && one.path[0] !== 'type');
  return inner === undefined ? framingAllowed : `${inner.path.join('.')} as ${inner.message}`;
}
