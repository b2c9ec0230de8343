// The policies of the jobs that measure what a policy costs: fields of `route:` hashes, and what clients send with them.

/** A hash as names and values in turn, and the `auth:` record that it names. */
export interface BenchPolicy {
  readonly route: readonly string[];
  readonly auth: readonly string[];
}

/** Name of the `auth:` record. */
export const benchProvider = 'bench';

/** scrypt of `correct horse`: it is computed once, the requests after it find the verdict kept. */
const passwordHash = '$scrypt$ln=14,r=8,p=5$YB7Fy0R68pqMdP8IXxKGhQ$wOa2VxOy5kZheg4GEiEUnGntUctGE8rRBFamFwnieak';

/** What clients send. */
export const credentials = {
  Authorization: `Basic ${Buffer.from('alice:correct horse').toString('base64')}`,
  Cookie: 'session=5f2b6c1e9a7d4e0b8c3f; version=stable',
};

const auth = ['type', 'basic', 'ttl', '1h', 'user:alice', passwordHash];

/** Nothing but a provider. */
export const authenticated: BenchPolicy = { route: ['authProvider', benchProvider], auth };

const groups = [
  { name: 'stable', weight: 9, backends: ['a', 'b', 'c'] },
  { name: 'canary', weight: 1, backends: ['d'] },
];

/** Of each kind of wish one. */
export const everything: BenchPolicy = {
  route: [
    ...['strategy', 'LEAST_LATENCY', 'sticky', '{"cookie": "lb"}', 'slowStart', '10s'],
    ...['split', JSON.stringify({ groups, header: 'X-Version', cookie: 'version' })],
    ...['reqActiveLength', '10000', 'reqQueueLength', '1000'],
    ...['health', '{"threshold": 3, "breaker": true}', 'retries', '2', 'retryOn', '502-504'],
    ...['timeout', '60s', 'tryTimeout', '20s', 'connectTimeout', '2s', 'backendTimeout', '20s'],
    ...['allow', '127.0.0.0/8', 'deny', '10.0.0.66', 'authProvider', benchProvider],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: so variables are written in headers
    ...['headers', '{"X-Tenant": "acme", "X-Client": "${client_ip}", "X-Internal": null}'],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: so variables are written in headers
    ...['responseHeaders', '{"X-Frame-Options": "DENY", "X-Request": "${request_id}", "Server": null}'],
    ...['stripPrefix', '/app', 'hostHeader', 'app.internal', 'maxBody', '10M'],
  ],
  auth: [...auth, 'userHeader', 'X-User'],
};
