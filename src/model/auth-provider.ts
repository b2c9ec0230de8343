// What an `auth:` record asks for: its type and the fields of that type. Any fault makes the provider unusable, since it
// keeps somebody out.
import * as z from 'zod';
import { shownName } from '../config/config-error.js';
import { duration, noted, yesOrNo } from '../config/fields.js';
import { nearestName } from '../config/nearest.js';
import { headerName, headerNames, tokenText, webAddress } from './auth-values.js';
import { jsonField, mostFaults, type PolicyField, type PolicyOf, readField, textField } from './policy/field.js';
import { fieldsOf, type StoredRecord } from './record-kind.js';

const realmAllowed = 'up to 200 visible ASCII characters';
const usersAllowed = '`user:<name>`, a name without a colon, with the hash of its password';
const tokensAllowed = '`token:<SHA-256 of the token in 64 hexadecimal digits>` with a label';
const keySetAllowed = 'the http or https URL of a JWKS without a password, or a JWKS of public keys as JSON';
const algorithmsAllowed = 'a list of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA, Ed25519';
const namesAllowed = 'a text, or a list of texts';
const requiredAllowed = 'an object of claim and value, or of claim and a list of values of which one is enough';
const claimHeadersAllowed = 'an object of claim and header name';

/** Asymmetric alone: `none` proves nothing, and HS256 checked with a public key can be forged by anybody who has the key. */
const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'] as const;

/** How long results are kept. */
const keeping = {
  ttl: jsonField(duration('How long a credential that passed is not checked again.', 10, { from: 0, to: 3_600 })),
  refusedTtl: jsonField(duration('The same for one that was refused.', 2, { from: 0, to: 60 })),
};

const challenged = {
  realm: textField(
    z
      .string({ error: realmAllowed })
      .regex(/^[\x20-\x7e]{1,200}$/, realmAllowed)
      .default('restricted'),
  ),
};

/** What happens to the request of somebody who passed. */
const passing = {
  /** Header that tells the backend who it is. */
  userHeader: textField(headerName.optional()),
  stripAuthorization: jsonField(yesOrNo('Whether the backend does not get the Authorization header.', false)),
};

const waiting = {
  timeout: jsonField(duration('Time for the answer of whoever is asked.', 5, { from: 0.05, to: 60 })),
};

const basicFields = { ...keeping, ...challenged, ...passing };
const bearerFields = { ...challenged, ...passing };

const keySetDocument = z
  .object({ keys: z.array(z.record(z.string(), z.unknown())).min(1) })
  .refine(({ keys }) => keys.every((key) => key.kty !== 'oct' && !('d' in key)));

const claimValue = z.union([z.string(), z.number(), z.boolean()]);

const texts = z.preprocess(
  (value) => (typeof value === 'string' ? [value] : value),
  z.array(z.string({ error: namesAllowed }), { error: namesAllowed }).min(1, namesAllowed),
);

const jwtFields = {
  ...keeping,
  ...challenged,
  ...passing,
  ...waiting,
  jwks: jsonField(noted(z.union([webAddress, keySetDocument]), note(keySetAllowed))),
  jwksMaxAge: jsonField(duration('Age at which the keys are fetched again.', 600, { from: 1, to: 86_400 })),
  jwksCooldown: jsonField(
    duration('Least time between two fetches for a key that is not among those known.', 30, { from: 0, to: 3_600 }),
  ),
  issuer: jsonField(texts.optional()),
  audience: jsonField(texts.optional()),
  algorithms: jsonField(
    noted(
      z
        .preprocess(
          (value) => (typeof value === 'string' ? value.split(/[\s,]+/) : value),
          z.array(z.enum(algorithms, { error: algorithmsAllowed }), { error: algorithmsAllowed }).min(1, algorithmsAllowed),
        )
        .default([...algorithms]),
      note(algorithmsAllowed),
    ),
  ),
  clockTolerance: jsonField(duration('Difference of clocks that is borne.', 5, { from: 0, to: 600 })),
  requireExpiry: jsonField(yesOrNo('Whether a token without `exp` is refused.', true)),
  userClaim: textField(z.string().min(1).default('sub')),
  requiredClaims: jsonField(
    z
      .record(z.string(), z.union([claimValue, z.array(claimValue).min(1)], { error: requiredAllowed }), {
        error: requiredAllowed,
      })
      .default({}),
  ),
  claimHeaders: jsonField(z.record(z.string(), headerName, { error: claimHeadersAllowed }).default({})),
};

const httpFields = {
  ...keeping,
  ...waiting,
  url: textField(noted(webAddress, note('an http or https URL without a password'))),
  /** Of the client's, sent to the service. */
  requestHeaders: jsonField(headerNames.default(['Authorization', 'Cookie'])),
  /** Of the service's answer, sent to the backend in place of the client's. */
  copyHeaders: jsonField(headerNames.default([])),
  stripAuthorization: passing.stripAuthorization,
};

const callbackFields = {
  ...keeping,
  ...challenged,
  ...passing,
  ...waiting,
  /** Name of the function; absent: that of the provider. */
  callback: textField(tokenText.optional()),
  challenge: textField(z.enum(['basic', 'bearer'], { error: '"basic", "bearer"' }).default('basic')),
  /** Headers that the function may give to the backend; the client's own are removed. */
  copyHeaders: jsonField(headerNames.default([])),
};

const tables = {
  basic: basicFields,
  bearer: bearerFields,
  jwt: jwtFields,
  http: httpFields,
  callback: callbackFields,
} as const satisfies Record<string, Record<string, PolicyField>>;

/** The kinds of providers. */
type AuthType = keyof typeof tables;
const types = Object.keys(tables) as AuthType[];

export interface BasicSettings extends PolicyOf<typeof basicFields> {
  readonly type: 'basic';
  /** Password hash by user name, as it was written. */
  readonly users: ReadonlyMap<string, string>;
}
export interface BearerSettings extends PolicyOf<typeof bearerFields> {
  readonly type: 'bearer';
  /** Label by SHA-256 of the token, in lower-case hexadecimal digits. */
  readonly tokens: ReadonlyMap<string, string>;
}
export interface JwtSettings extends PolicyOf<typeof jwtFields> {
  readonly type: 'jwt';
}
export interface ForwardAuthSettings extends PolicyOf<typeof httpFields> {
  readonly type: 'http';
}
export interface CallbackSettings extends PolicyOf<typeof callbackFields> {
  readonly type: 'callback';
}

/** A provider that can be used. Durations in milliseconds. Immutable. */
export type AuthSettings = BasicSettings | BearerSettings | JwtSettings | ForwardAuthSettings | CallbackSettings;

/** What a record says; `faults` are one line each, without secrets. */
export type ParsedAuthProvider =
  | { readonly kind: 'absent' }
  | { readonly kind: 'faulty'; readonly faults: readonly string[] }
  | { readonly kind: 'settings'; readonly settings: AuthSettings };

/** Fields whose values may hold a secret that was put into the wrong place: a fault does not show them. */
const unshown = new Set(['url', 'jwks']);

/** Reads an `auth:` hash. */
export function parseAuthProvider(record: StoredRecord): ParsedAuthProvider {
  if (record.fault !== '') return { kind: 'faulty', faults: [record.fault] };
  if (record.values.length === 0) return { kind: 'absent' };
  const written = fieldsOf(record);
  const type = types.find((one) => one === written.get('type'));
  if (type === undefined)
    return { kind: 'faulty', faults: [`type is ${shownType(written.get('type'))}; allowed: ${types.join(', ')}`] };

  const table: Record<string, PolicyField> = tables[type];
  const faults: string[] = [];
  const values: Record<string, unknown> = { type };
  const users = new Map<string, string>();
  const tokens = new Map<string, string>();
  for (const [name, text] of written) {
    if (faults.length >= mostFaults) break;
    if (name === 'type' || Object.hasOwn(table, name)) continue;
    if (type === 'basic' && name.startsWith('user:')) addUser(name.slice('user:'.length), text, users, faults);
    else if (type === 'bearer' && name.startsWith('token:')) addToken(name.slice('token:'.length), text, tokens, faults);
    else faults.push(unknownField(type, name, Object.keys(table)));
  }
  for (const [name, field] of Object.entries(table)) readInto(values, faults, name, field, written.get(name));
  if (type === 'basic') values.users = users;
  if (type === 'bearer') values.tokens = tokens;
  return faults.length > 0
    ? { kind: 'faulty', faults }
    : { kind: 'settings', settings: Object.freeze(values) as unknown as AuthSettings };
}

/** The settings of a callback that has no record. */
export const plainCallback: CallbackSettings = Object.freeze({
  type: 'callback',
  ...Object.fromEntries(Object.entries(callbackFields).map(([name, { schema }]) => [name, schema.parse(undefined)])),
}) as CallbackSettings;

function readInto(
  values: Record<string, unknown>,
  faults: string[],
  name: string,
  field: PolicyField,
  text: string | undefined,
): void {
  if (text === undefined) {
    const standard = field.schema.safeParse(undefined);
    if (standard.success) values[name] = standard.data;
    else faults.push(`${name} is missing; needed: ${allowedFor(name)}`);
    return;
  }
  const reading = readField(field, text);
  if (reading.kind === 'value') values[name] = reading.value;
  else faults.push(unshown.has(name) ? `${name} cannot be used; allowed: ${allowedFor(name)}` : `${name} ${reading.text}`);
}

function allowedFor(name: string): string {
  return name === 'jwks' ? keySetAllowed : 'an http or https URL without a password';
}

function addUser(name: string, hash: string, users: Map<string, string>, faults: string[]): void {
  if (name === '' || name.includes(':')) faults.push(`a user name is wrong; allowed: ${usersAllowed}`);
  else users.set(name, hash);
}

/** The name is not shown: somebody may have written the token itself. */
function addToken(digest: string, label: string, tokens: Map<string, string>, faults: string[]): void {
  if (/^[0-9a-f]{64}$/i.test(digest)) tokens.set(digest.toLowerCase(), label);
  else faults.push(`a token is no SHA-256; allowed: ${tokensAllowed}`);
}

function unknownField(type: AuthType, name: string, known: readonly string[]): string {
  if (/^(user|token):/.test(name)) return `${name.slice(0, name.indexOf(':'))}: entries are not for type ${type}`;
  const nearest = nearestName(name, known);
  return `${shownName(name)} is not a field of type ${type}${nearest === undefined ? '' : `; the nearest one is ${nearest}`}`;
}

function shownType(text: string | undefined): string {
  return text === undefined ? 'missing' : JSON.stringify(text.slice(0, 40));
}

function note(allowed: string) {
  return { kind: 'text', explanation: '', allowed, standard: '' } as const;
}
