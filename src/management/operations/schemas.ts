// What callers may send, as zod schemas: the answers to wrong bodies and the OpenAPI document are both made from them.
import { isIP } from 'node:net';
import * as z from 'zod';
import { settingNotes } from '../../config/fields.js';
import { nearestName } from '../../config/nearest.js';
import { backendSchemes, proxyProtocols } from '../../model/backend.js';
import { checkField, type PolicyField } from '../../model/policy/field.js';
import { policyFields } from '../../model/policy/policy.js';
import { policyExplanations } from '../../model/policy/reference.js';
import type { Fault } from '../problem.js';
import { redacted } from './concealed.js';

const hostAllowed = 'a host name or an IP address';
const portAllowed = 'a whole number from 1 to 65535';
const weightAllowed = 'a whole number from 0 to 1000000';
const tokenAllowed = 'up to 200 characters, without spaces and letters beyond ASCII';
const pemAllowed = 'a text in PEM form of up to 256 KiB';
const vHostAllowed = 'a host such as "api.example.com", "*.example.com" or "*", with a path prefix or without';

const token = z.string({ error: tokenAllowed }).regex(/^[\x21-\x7e]{1,200}$/, tokenAllowed);
const pem = z.string({ error: pemAllowed }).min(1, pemAllowed).max(262_144, pemAllowed);

/** A backend as callers name it. What the proxy tells of one is accepted, so that what was read can be sent back, and not looked at. */
export const backendSchema = z
  .strictObject(
    {
      id: token
        .optional()
        .describe('Name that stays the same; absent: `hostname:port`, or one that is made up for a backend that is added.'),
      hostname: z
        .string({ error: hostAllowed })
        .refine((text) => isIP(text) !== 0 || /^[\w-][\w.-]{0,254}$/.test(text), hostAllowed)
        .optional()
        .describe('Name or address.'),
      port: z
        .int({ error: portAllowed })
        .min(1, portAllowed)
        .max(65_535, portAllowed)
        .optional()
        .describe('Absent: 80, or 443 for https and h2.'),
      socket: z
        .string({ error: 'the path of a unix socket' })
        .regex(/^\/[\x21-\x22\x24-\x7e]{1,106}$/, 'the path of a unix socket')
        .optional()
        .describe('Path of a unix socket, in place of hostname and port.'),
      protocol: z
        .enum(backendSchemes, { error: '"http", "https", "h2", "h2c"' })
        .optional()
        .describe('`h2` and `h2c`: HTTP/2, in TLS and in clear text.'),
      weight: z.int({ error: weightAllowed }).min(0, weightAllowed).max(1_000_000, weightAllowed).optional(),
      backup: z.boolean({ error: 'true or false' }).optional().describe('Used only while no other can be.'),
      group: token.optional().describe('Group of a traffic split that it belongs to.'),
      proxyProtocol: z
        .enum(proxyProtocols, { error: '"none", "v1", "v2"' })
        .optional()
        .describe('PROXY header that each connection to it begins with.'),
      isDead: z.boolean().optional().describe('Told by the proxy.'),
      deadSince: z.number().optional().describe('Told by the proxy: milliseconds since the epoch.'),
      failureCount: z.number().optional().describe('Told by the proxy.'),
      maintenance: z.boolean().optional().describe('Told by the proxy: somebody has taken it out.'),
      draining: z.boolean().optional().describe('Told by the proxy: it gets no new sessions.'),
    },
    { error: objectError('an object with hostname and port') },
  )
  .superRefine((backend, context) => {
    const named = [backend.hostname, backend.socket].filter((part) => part !== undefined).length;
    if (named !== 1)
      context.addIssue({ code: 'custom', path: ['hostname'], message: 'either hostname or socket', input: backend });
  })
  .meta({ id: 'Backend' });

export const sslSchema = z
  .looseObject({
    cert: pem.describe('Certificate and chain.'),
    key: pem.describe(`Private key; \`${redacted}\` where it is to stay as it is. Never told.`),
  })
  .describe('Certificate of the host.');

/** Members of a route that are no fields of its policy. */
const ownShape = {
  id: z
    .string({ error: 'a text of 1 to 200 characters' })
    .regex(/^[^\x00-\x1f]{1,200}$/, 'a text of 1 to 200 characters')
    .optional()
    .describe('Shown in logs; absent: one is made up.'),
  vHost: z.string({ error: vHostAllowed }).max(1_500, vHostAllowed).describe(`The frontend: ${vHostAllowed}.`),
  backends: z
    .array(backendSchema, { error: 'a list of backends' })
    .max(4_096, 'at most 4096 backends')
    .default([])
    .describe('Where its requests go.'),
  ssl: sslSchema.optional(),
  faults: z.array(z.string()).optional().describe('Told by the proxy: what it cannot understand of the stored route.'),
  warnings: z.array(z.string()).optional().describe('Told by the API: what is odd about it.'),
};

const policyShape = Object.fromEntries(
  Object.entries(policyFields)
    .filter(([name]) => name !== 'id')
    .map(([name, field]) => [name, policyMember(name, field)]),
);

const { strategy: strategyPatch = z.unknown(), ...otherPolicy } = policyShape;
const routeShape = { ...ownShape, ...otherPolicy, strategy: policyMember('strategy', policyFields.strategy, true) };
const memberNames = Object.keys(routeShape);

/** A route for `POST`. */
export const routeSchema = z.strictObject(routeShape, { error: objectError('a route', memberNames) }).meta({ id: 'Route' });

/** A route for `PUT`, whose path names it. */
export const routeReplacementSchema = routeSchema.partial({ vHost: true }).meta({ id: 'RouteReplacement' });

/** What changes of a route: members that are null are taken away (RFC 7396). */
export const routePatchSchema = z
  .strictObject(
    {
      ...otherPolicy,
      strategy: strategyPatch,
      id: ownShape.id,
      vHost: ownShape.vHost.optional(),
      backends: z.array(backendSchema, { error: 'a list of backends' }).max(4_096, 'at most 4096 backends').optional(),
      ssl: sslSchema.optional(),
    },
    { error: objectError('a route', memberNames) },
  )
  .meta({ id: 'RoutePatch' });

export const certificateSchema = z
  .strictObject(
    {
      domain: z.string({ error: 'a host, "*.suffix", or "*"' }).max(255),
      cert: pem.describe('Certificate and chain.'),
      key: pem.describe('Private key without a passphrase.'),
    },
    { error: objectError('a certificate', ['domain', 'cert', 'key']) },
  )
  .meta({ id: 'Certificate' });

export type RouteBody = z.output<typeof routeSchema>;
export type RoutePatchBody = z.output<typeof routePatchSchema>;
export type BackendBody = z.output<typeof backendSchema>;
export type SslBody = z.output<typeof sslSchema>;
export type CertificateBody = z.output<typeof certificateSchema>;

/** A field of a policy: checked as the proxy checks it, explained as docs/policy.md explains it. */
function policyMember(name: string, field: PolicyField, required = false) {
  const note = settingNotes.get(field.schema);
  const allowed = note === undefined ? '' : `Allowed: ${note.allowed}.`;
  const checked = z.unknown().superRefine((written, context) => {
    if (written === undefined || written === null) {
      if (required) context.addIssue({ code: 'custom', message: `is missing. ${allowed}`, input: written });
      return;
    }
    const reading = checkField(field, written);
    if (reading.kind === 'fault') context.addIssue({ code: 'custom', message: reading.text, input: written });
  });
  const description = [note?.explanation ?? policyExplanations[name] ?? '', allowed].filter((text) => text !== '').join(' ');
  return required ? checked.meta({ description }) : checked.optional().meta({ description });
}

/**
 * An object of fields, such as those of a tier, with further members of its own.
 * @param what for messages, e.g. `a tier`
 */
export function fieldsSchema<S extends z.ZodRawShape>(what: string, fields: Readonly<Record<string, PolicyField>>, own: S) {
  const members = Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, policyMember(name, field)]));
  return z.strictObject({ ...members, ...own }, { error: objectError(what, [...Object.keys(members), ...Object.keys(own)]) });
}

/** An unknown member is told with the known one that is nearest. */
function objectError(allowed: string, names: readonly string[] = []): z.core.$ZodErrorMap {
  return (issue) => {
    if (issue.code !== 'unrecognized_keys') return `allowed: ${allowed}`;
    return issue.keys
      .map((key) => {
        const nearest = nearestName(key, names);
        return `${JSON.stringify(key.slice(0, 60))} is not a known member${nearest === undefined ? '' : `; the nearest known one is ${nearest}`}`;
      })
      .join('; ');
  };
}

/** All that is wrong with what was sent, each with a pointer to its place (RFC 6901). */
export function faultsOf(issues: readonly z.core.$ZodIssue[]): Fault[] {
  return issues.map(({ path, message }) => ({
    pointer: `/${path.map((part) => String(part).replaceAll('~', '~0').replaceAll('/', '~1')).join('/')}`,
    detail: message,
  }));
}
