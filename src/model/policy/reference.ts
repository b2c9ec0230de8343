// The table of all fields of a `route:` hash for docs/policy.md: what is allowed and the defaults come from the schemas.
import { settingNotes } from '../../config/fields.js';
import { type PolicyField, readField } from './field.js';
import { policyFields, type RoutePolicy, standardPolicy } from './policy.js';

type FieldName = keyof RoutePolicy;

/** What each field is for; the order is that of the table. */
const explanations: { readonly [N in FieldName]: string } = {
  strategy: 'How a backend is chosen among those alive.',
  hashOn: 'What `HASH` tells clients apart by; without it, or where a request lacks it: their address.',
  weights: 'Shares of backends by their ids, in place of `weight` in the list; 0: no new sessions.',
  slowStart: 'How long a backend that came back, or is new, grows to its share.',
  sticky: 'A cookie that keeps a client with its backend.',
  split: 'Groups of backends, the share of new clients that each gets, and what pins a client to one.',
  mirror: 'Another address that gets a copy of a share of the requests; nobody waits for it.',
  reqActiveLength: 'Most requests in flight, tunnels included.',
  reqQueueLength: 'Most requests that wait while `reqActiveLength` are in flight.',
  queueTimeout: 'Longest time that a request waits for its turn; 0: no limit.',
  health: 'What of real requests takes a backend out, for how long, and how it comes back.',
  retries: 'Further attempts after the first, each on a backend not yet tried.',
  retryOn: 'Statuses of backends that are not passed on while another backend may be tried.',
  retryBudget: 'Further attempts that all requests of the frontend may have together; `false`: any number.',
  retryBackoff: 'Delay before a further attempt, doubled with each.',
  timeout: 'Longest exchange, waiting and all attempts included; 0: no limit. Tunnels are exempt.',
  tryTimeout: 'Time for one attempt to be answered; 0: no limit.',
  connectTimeout: 'Time for a connection to a backend to be made; 0: no limit.',
  backendTimeout: 'Silence of a backend that has a request; 0: no limit.',
  proxyTimeout: 'Another name of `backendTimeout`, which wins.',
  deny: 'Addresses of clients that are refused.',
  allow: 'Addresses of clients that are served; others are not.',
  authProvider: 'Who decides whether a client may pass: the record `auth:NAME`, or a function of the program.',
  tls: 'Who ends TLS: this proxy, or the backends, which are then passed every byte as it is.',
  clientAuth: 'Whether clients have to show a certificate.',
  clientCa: 'Authorities that client certificates must be from.',
  tier: 'The rate limit of requests that no rule of `limits` is about.',
  limits: 'Which rate limit a request comes to, by what is known of its client.',
  headers: 'Header lines that are set, added or removed for the backend.',
  responseHeaders: 'The same for the client.',
  hsts: 'Tells browsers to come by HTTPS alone.',
  hostHeader: "The Host that a backend gets: the client's, its own address, or a name.",
  autoHttps: 'Sends plain requests to HTTPS.',
  requireHttps: 'The same, and refuses who cannot be sent there.',
  redirectTo: 'Sends clients to another host.',
  prefixMatch: 'Whether the prefix of a frontend ends at the border of a segment, or anywhere.',
  stripPrefix: 'A prefix that is taken off the path.',
  rewrite: 'Rules that give another path.',
  maxBody: 'Largest body of a request; 0: none.',
  compress: 'Compresses answers for clients that can read it.',
  errorPages: "Pages in place of the proxy's own.",
  replaceBackendErrors: 'Statuses of backends whose body is replaced by a page.',
  maintenance: 'Closes the frontend, with a page.',
  maintenanceAllow: 'Clients that pass all the same.',
  id: 'A name for programs that manage frontends.',
  extra: 'Whatever else is kept with the frontend; it means nothing to the proxy.',
};

/** The same, for whoever has the name of a field only. */
export const policyExplanations: Readonly<Record<string, string>> = explanations;

/** Markdown: one row a field. */
export function policyTable(): string {
  const rows = (Object.keys(explanations) as FieldName[]).map((name) => {
    const field: PolicyField = policyFields[name];
    const guards = field.guards ? ' *Closed (502) while it cannot be understood.*' : '';
    const cells = [`\`${name}\``, standardOf(name, field), allowedIn(field), `${explanations[name]}${guards}`];
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  });
  return ['| field | default | allowed | meaning |', '|---|---|---|---|', ...rows].join('\n');
}

/** Values that are wrong for nearly every field: what a field says of one of them is what people are told. */
const wrong = ['\0', '[[]]', '{"\\u0000":[]}'];

function allowedIn(field: PolicyField): string {
  for (const text of wrong) {
    const reading = readField(field, text);
    if (reading.kind === 'fault') return reading.text.replace(/^.*?; allowed(?: at [^:]*)?: /s, '');
  }
  return 'any text';
}

function standardOf(name: FieldName, field: PolicyField): string {
  const written = settingNotes.get(field.schema)?.standard;
  if (written !== undefined) return written === '' || written === 'none' ? 'none' : `\`${written}\``;
  const value = standardPolicy[name];
  return value === undefined ? 'none' : `\`${String(value)}\``;
}
