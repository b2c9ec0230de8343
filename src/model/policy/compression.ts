// Policy: which answers of backends are compressed for clients that can read it, and how.
import * as z from 'zod';
import { size } from '../../config/fields.js';
import { jsonField, type PolicyOf } from './field.js';

/** Content codings that may be offered; one that this version of Node does not have is passed over. */
export const codings = ['br', 'zstd', 'gzip'] as const;

export type Coding = (typeof codings)[number];

/** Types whose content is text or is not compressed by itself. */
const standardTypes = [
  'text/*',
  'application/json',
  'application/*+json',
  'application/x-ndjson',
  'application/xml',
  'application/*+xml',
  'application/javascript',
  'application/x-javascript',
  'application/ecmascript',
  'application/yaml',
  'application/x-yaml',
  'application/wasm',
  'application/vnd.ms-fontobject',
  'font/ttf',
  'font/otf',
  'image/*+xml',
  'image/bmp',
  'image/x-icon',
  'image/vnd.microsoft.icon',
] as const;

const most = 9;

const compressAllowed =
  'true, false, or an object {"types": ["text/*"], "minBytes": 1024, "algorithms": ["br", "gzip"], "level": 4}';
const typesAllowed = 'a list of media types such as "application/json", "text/*" or "application/*+json"';
const algorithmsAllowed = `a list of ${codings.map((name) => `"${name}"`).join(', ')}, the preferred one first`;
const levelAllowed = `a whole number from 1 (fast) to ${most} (small)`;

/** A media type, a whole top-level type, or all of one that end with a suffix. */
const typePattern = /^[!#$%&'*+.^_`|~0-9a-z-]+\/(\*|\*\+[0-9a-z.-]+|[!#$%&'+.^_`|~0-9a-z-]+)$/;

/** Media types, and the question whether one is among them. */
export interface MediaTypes {
  readonly entries: readonly string[];
  /** @param type in lower case, without parameters */
  has(type: string): boolean;
}

function mediaTypes(entries: readonly string[]): MediaTypes {
  const exact = new Set(entries);
  const parts = entries.filter((entry) => entry.includes('*')).map((entry) => entry.split('*') as [string, string]);
  return Object.freeze({
    entries: Object.freeze([...entries]),
    has: (type: string) => exact.has(type) || parts.some(([start, end]) => type.startsWith(start) && type.endsWith(end)),
  });
}

const types = z
  .array(
    z
      .string({ error: typesAllowed })
      .transform((text) => text.trim().toLowerCase())
      .refine((text) => typePattern.test(text), { error: typesAllowed }),
    { error: typesAllowed },
  )
  .min(1, typesAllowed)
  .max(100, typesAllowed)
  .transform(mediaTypes);

const algorithms = z
  .array(z.enum(codings, { error: algorithmsAllowed }), { error: algorithmsAllowed })
  .min(1, algorithmsAllowed)
  .transform((names): readonly Coding[] => Object.freeze([...new Set(names)]));

const compress = z.preprocess(
  (written) => (written === true ? {} : written === false ? undefined : written),
  z
    .strictObject(
      {
        types: types.default(mediaTypes(standardTypes)),
        minBytes: size('Smallest answer that is compressed.', 1024, { from: 0, to: 1_073_741_824 }),
        algorithms: algorithms.default(codings),
        level: z.int({ error: levelAllowed }).min(1, levelAllowed).max(most, levelAllowed).default(4),
      },
      {
        error: (issue) => (issue.code === 'unrecognized_keys' ? 'only types, minBytes, algorithms and level' : compressAllowed),
      },
    )
    .optional(),
);

export const compressionFields = {
  /**
   * `true`, or `{"types": ["text/*"], "minBytes": "1KiB", "algorithms": ["br", "gzip"], "level": 4}`, every member optional.
   * Absent and false: answers are passed on as they are.
   */
  compress: jsonField(compress),
};

/** What is compressed, and how. */
export type Compression = NonNullable<PolicyOf<typeof compressionFields>['compress']>;
