// Every setting of the configuration file, each with type, default, bounds and explanation. Unknown keys are errors.
import * as z from 'zod';
import { parseRange } from '../base/ip.js';
import { parseDriverUrl } from './driver-url.js';
import { noted, type SettingNote, settingNotes } from './fields.js';
import { acmeSchema } from './schema-acme.js';
import { apiSchema } from './schema-api.js';
import { frontDoorSchema } from './schema-front-door.js';
import { limitsSchema } from './schema-limits.js';
import { adminSchema, httpSchema, httpsSchema } from './schema-listen.js';
import { metricsSchema, tracingSchema } from './schema-metrics.js';
import { redisSchema } from './schema-redis.js';
import { serverSchema } from './schema-server.js';
import { streamsSchema } from './schema-streams.js';

const rangesAllowed = 'a list of addresses and ranges such as "10.0.0.0/8"';
const driverAllowed = 'a driver URL such as "redis://127.0.0.1:6379", or a list of two: read side, write side';
const accountAllowed = 'a name or a number';

const driverUrl = z.string({ error: driverAllowed }).superRefine((text, context) => {
  try {
    parseDriverUrl(text);
  } catch (error) {
    context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error), input: text });
  }
});

/** An account of the machine: a name, or a number as Hipache allows; nothing and root mean to stay root. */
const account = z.preprocess(
  (value) => (typeof value === 'number' ? String(value) : value),
  z.string({ error: accountAllowed }).regex(/^(?:\d{1,10}|[a-z_][\w.-]*\$?)?$/i, { error: accountAllowed }),
);

function listOf(value: unknown): unknown {
  return typeof value === 'string' ? [value] : value;
}

/** The whole file. */
export const settingsSchema = z.strictObject(
  {
    server: serverSchema,
    http: httpSchema,
    https: httpsSchema,
    acme: acmeSchema,
    streams: streamsSchema,
    admin: adminSchema,
    api: apiSchema,
    driver: noted(z.preprocess(listOf, z.array(driverUrl, { error: driverAllowed }).min(1, driverAllowed)).default(['redis:']), {
      kind: 'driver',
      explanation:
        'Where frontends are kept. Of several URLs the first is read from and the last is written to; the prefix of the first counts.',
      allowed: driverAllowed,
      standard: '["redis:"]',
    }),
    redis: redisSchema,
    limits: limitsSchema,
    frontDoor: frontDoorSchema,
    metrics: metricsSchema,
    tracing: tracingSchema,
    trustedProxies: noted(
      z
        .preprocess(
          listOf,
          z.array(
            z.string({ error: rangesAllowed }).refine((text) => parseRange(text) !== null, { error: rangesAllowed }),
            { error: rangesAllowed },
          ),
        )
        .default([]),
      {
        kind: 'list',
        explanation:
          'Addresses and ranges whose `X-Forwarded-*` headers are believed and added to; those of all others are replaced.',
        allowed: rangesAllowed,
        standard: '[]',
      },
    ),
    user: noted(account.optional(), {
      kind: 'text',
      explanation: 'Whom a process started as root becomes once its ports are open; `root`, 0 or an empty text: stays root.',
      allowed: accountAllowed,
      standard: '"www-data" when started as root',
    }),
    group: noted(account.optional(), {
      kind: 'text',
      explanation: 'The group of that process.',
      allowed: accountAllowed,
      standard: 'user',
    }),
    logLevel: noted(
      z.enum(['debug', 'info', 'warn', 'error', 'silent'], { error: '"debug", "info", "warn", "error", "silent"' }).optional(),
      {
        kind: 'choice',
        explanation: 'Least important diagnostics that are written.',
        allowed: '"debug", "info", "warn", "error", "silent"',
        standard: '"info", or "debug" with server.debug',
      },
    ),
  },
  { error: 'an object' },
);

/** A file that passed: durations in milliseconds, defaults filled in except those that depend on other settings. */
export type Settings = z.output<typeof settingsSchema>;

/** A setting and its place. */
export interface SettingAt {
  /** Keys from the top, e.g. `server.workers`. */
  readonly path: string;
  readonly note: SettingNote;
}

/** All settings in the order of the schema. */
export const allSettings: readonly SettingAt[] = collect(settingsSchema, '');

/** Names of the sections of the file. */
export const sections: readonly string[] = Object.entries(settingsSchema.shape)
  .filter(([, schema]) => schema instanceof z.ZodObject)
  .map(([key]) => key);

function collect(schema: z.ZodObject, prefix: string): SettingAt[] {
  return Object.entries(schema.shape).flatMap(([key, part]) => {
    const path = prefix === '' ? key : `${prefix}.${key}`;
    if (part instanceof z.ZodObject) return collect(part, path);
    const note = settingNotes.get(part as z.ZodType);
    if (note === undefined) throw new Error(`the setting ${path} has no explanation`);
    return [{ path, note }];
  });
}
