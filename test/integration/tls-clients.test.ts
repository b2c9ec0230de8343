// Clients that are asked for certificates, requests on the wrong connection, and what is said about HTTPS.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { head } from '../contract/engine/world.js';
import { ok, type RawBackend, startBackend } from '../helpers/backend.js';
import { type KeyAndCert, selfSigned } from '../helpers/certs.js';
import { eventually } from '../helpers/eventually.js';
import { connectClient, RawClient, type RawResponse } from '../helpers/raw-client.js';
import { type StartedProxy, startProxy } from '../helpers/start-proxy.js';
import { pairFiles, tlsBind } from '../helpers/tls-bind.js';

const folder = mkdtempSync(join(tmpdir(), 'tls-clients-'));
const openssl = (...args: readonly string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' });
const file = (name: string) => readFileSync(join(folder, name), 'utf8');
const ecKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** An authority, and a client that it vouches for. */
function authorityWithClient(name: string, subject: string): { readonly ca: string; readonly client: KeyAndCert } {
  openssl(
    'req',
    '-x509',
    ...ecKey,
    '-keyout',
    `${name}-ca.key`,
    '-out',
    `${name}-ca.pem`,
    '-days',
    '30',
    '-subj',
    `/CN=${name} authority`,
  );
  openssl('req', ...ecKey, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-utf8', '-subj', subject);
  openssl(
    'x509',
    '-req',
    '-in',
    `${name}.csr`,
    '-CA',
    `${name}-ca.pem`,
    '-CAkey',
    `${name}-ca.key`,
    '-CAcreateserial',
    '-out',
    `${name}.pem`,
  );
  return { ca: file(`${name}-ca.pem`), client: { key: file(`${name}.key`), cert: file(`${name}.pem`) } };
}

const ours = authorityWithClient('ours', '/O=Example, Inc./CN=Jörg');
const theirs = authorityWithClient('theirs', '/CN=stranger');

let proxy: StartedProxy;
let backend: RawBackend;

beforeAll(async () => {
  const files = pairFiles(folder, selfSigned('file'));
  proxy = await startProxy({ https: [tlsBind({ ...files, ca: [join(folder, 'theirs-ca.pem')] })] });
});
afterAll(async () => {
  await proxy.close();
  rmSync(folder, { recursive: true });
});
beforeEach(async () => {
  backend = await startBackend(ok('inside'));
});
afterEach(() => backend.close());

let hosts = 0;

async function frontend(policy: Readonly<Record<string, string>>, host = `h${++hosts}.example.com`): Promise<string> {
  await proxy.proxy.store.writeRecord('route', host, Object.entries(policy).flat());
  await proxy.proxy.store.writeFrontend(host, 'id', [backend.url]);
  return host;
}

async function connect(servername: string, options: tls.ConnectionOptions = {}): Promise<RawClient> {
  const socket = tls.connect({ port: proxy.securePort, host: '127.0.0.1', servername, rejectUnauthorized: false, ...options });
  await new Promise<void>((resolve, reject) => {
    socket.once('secureConnect', () => resolve());
    socket.once('error', reject);
  });
  return new RawClient(socket);
}

/** One request on a connection of its own. */
async function ask(servername: string, options: tls.ConnectionOptions = {}, ...more: readonly string[]): Promise<RawResponse> {
  const client = await connect(servername, options);
  client.send(head('GET', '/', servername, ...more));
  const answer = await client.response();
  client.close();
  return answer;
}

/** What the server gave it to resume by. */
function sessionOf({ socket }: RawClient): Promise<Buffer> {
  return eventually('a session', () => (socket as tls.TLSSocket).getSession());
}

const code = (answer: RawResponse) => `${answer.status} ${answer.fields.get('x-cjs-proxy-error') ?? ''}`.trim();

describe.each(['TLSv1.2', 'TLSv1.3'] as const)('over %s, a frontend with client certificates', (version) => {
  const versions = { minVersion: version, maxVersion: version };

  it('that are required serves who has one of its authorities, and nobody else', async () => {
    const host = await frontend({ clientAuth: 'require', clientCa: ours.ca });
    expect(code(await ask(host, { ...versions, ...ours.client }))).toBe('200');
    expect(code(await ask(host, versions))).toBe('403 client-certificate-required');
    expect(code(await ask(host, { ...versions, ...theirs.client }))).toBe('403 client-certificate-refused');
    expect(backend.requests.length).toBe(1);
  });

  it('that are optional serves who has none, too', async () => {
    const host = await frontend({ clientAuth: 'optional', clientCa: ours.ca });
    expect(code(await ask(host, versions))).toBe('200');
    expect(code(await ask(host, { ...versions, ...ours.client }))).toBe('200');
    expect(code(await ask(host, { ...versions, ...theirs.client }))).toBe('403 client-certificate-refused');
    expect(backend.requests.map(({ fields }) => fields.get('x-client-cert-serial') !== null)).toEqual([false, true]);
  });

  it('lets nobody in by a session that was made without a certificate', async () => {
    const host = await frontend({ clientAuth: 'require', clientCa: ours.ca });
    const open = await frontend({});
    const sessions: Buffer[] = [];
    for (const [name, options] of [
      [open, {}],
      [host, {}],
    ] as const) {
      const client = await connect(name, { ...versions, ...options });
      client.send(head('GET', '/', name));
      await client.response();
      sessions.push(await sessionOf(client));
      client.close();
    }
    for (const session of sessions) expect((await ask(host, { ...versions, session })).status).toBe(403);
    expect(backend.requests.length).toBe(1);
  });

  it('resumes the session of who has one', async () => {
    const host = await frontend({ clientAuth: 'require', clientCa: ours.ca });
    const client = await connect(host, { ...versions, ...ours.client });
    client.send(head('GET', '/', host));
    await client.response();
    const again = await connect(host, { ...versions, ...ours.client, session: await sessionOf(client) });
    expect((again.socket as tls.TLSSocket).isSessionReused()).toBe(true);
    again.send(head('GET', '/', host));
    expect((await again.response()).status).toBe(200);
    expect(backend.requests[1]?.fields.get('x-client-cert-subject')).toBe(
      backend.requests[0]?.fields.get('x-client-cert-subject'),
    );
    client.close();
    again.close();
  });
});

describe('a client certificate', () => {
  it('is told to backends in lines that no client can forge', async () => {
    const host = await frontend({ clientAuth: 'require', clientCa: ours.ca });
    const forged = [
      'X-Client-Cert: forged',
      'X-CLIENT-CERT-SUBJECT: CN=root',
      'x_client_cert_issuer: forged',
      'X-Client-Cert-Serial: 1',
    ];
    expect(code(await ask(host, ours.client, ...forged))).toBe('200');
    const { fields } = backend.only;
    const text = file('ours.pem').replace(/-----[^-]+-----|\n/g, '');
    expect(fields.all('x-client-cert')).toEqual([text]);
    expect(fields.all('x-client-cert-subject')).toEqual(['CN=J%C3%B6rg,O=Example\\, Inc.']);
    expect(fields.all('x-client-cert-issuer')).toEqual(['CN=ours authority']);
    expect(fields.all('x-client-cert-serial')[0]).toMatch(/^[0-9A-F]+$/);
    expect(fields.all('x-client-cert-fingerprint')[0]).toMatch(/^[0-9a-f]{64}$/);
    expect(backend.only.head).not.toMatch(/forged|CN=root/);
  });

  it('is nothing that a client of another frontend can claim to have', async () => {
    const host = await frontend({});
    await ask(host, {}, 'X-Client-Cert: forged', 'X-Client-Cert-Subject: CN=root', 'X_Client_Cert: forged');
    const plain = await connectClient(proxy.port);
    plain.send(head('GET', '/', host, 'X-Client-Cert: forged', 'X-Client-Cert-Fingerprint: forged'));
    await plain.response();
    plain.close();
    for (const { head: text } of backend.requests) expect(text).not.toMatch(/client.cert/i);
  });

  it('is checked against the authorities of https.ca where the frontend names none', async () => {
    const host = await frontend({ clientAuth: 'require' });
    expect(code(await ask(host, theirs.client))).toBe('200');
    expect(code(await ask(host, ours.client))).toBe('403 client-certificate-refused');
  });

  it('that is required cannot be shown in clear text', async () => {
    const host = await frontend({ clientAuth: 'require', clientCa: ours.ca });
    const plain = await connectClient(proxy.port);
    plain.send(head('GET', '/', host));
    expect(code(await plain.response())).toBe('403 client-certificate-required');
    plain.close();
  });

  it('keeps everybody out where its rules cannot be understood', async () => {
    const host = await frontend({ clientAuth: 'require', clientCa: 'no certificate' });
    expect(code(await ask(host, ours.client))).toBe('502 bad-frontend-record');
    expect(code(await ask(await frontend({ clientAuth: 'yes' }), ours.client))).toBe('502 bad-frontend-record');
  });
});

describe('a request on a connection that was made for another name', () => {
  it('is answered 421 where client certificates differ, and the connection ends', async () => {
    const guarded = await frontend({ clientAuth: 'require', clientCa: ours.ca });
    const open = await frontend({});
    const client = await connect(open, ours.client);
    client.send(head('GET', '/', guarded));
    const answer = await client.response();
    expect(code(answer)).toBe('421 misdirected-request');
    expect(answer.fields.get('connection')).toBe('close');
    expect(await client.ended()).toBe('end');
    const others = await frontend({ clientAuth: 'require', clientCa: theirs.ca });
    const wrong = await connect(others, theirs.client);
    wrong.send(head('GET', '/', guarded));
    expect(code(await wrong.response())).toBe('421 misdirected-request');
    wrong.close();
    expect(backend.requests.length).toBe(0);
  });

  it('is answered 421 where the host has another certificate', async () => {
    const [one, two, three] = [await frontend({}), await frontend({}), await frontend({})];
    const pairs = [selfSigned(one, two), selfSigned('two')] as const;
    for (const [at, name] of [one, two].entries()) {
      const { key, cert } = pairs[at] as KeyAndCert;
      await proxy.proxy.store.writeRecord('tls', name, ['certificate', cert, 'key', key]);
    }
    // The certificate of the first is made for the second as well, that of the second not for the first.
    const first = await connect(one);
    for (const host of [one, two, three, one]) {
      first.send(head('GET', '/', host));
      expect((await first.response()).status).toBe(200);
    }
    first.close();
    const second = await connect(two);
    second.send(head('GET', '/', one));
    expect(code(await second.response())).toBe('421 misdirected-request');
    second.close();
  });

  it('is answered 421 once the frontend begins to ask for certificates, and served on a new connection', async () => {
    const host = await frontend({});
    const client = await connect(host, ours.client);
    client.send(head('GET', '/', host));
    expect((await client.response()).status).toBe(200);
    await frontend({ clientAuth: 'require', clientCa: ours.ca }, host);
    client.send(head('GET', '/', host));
    expect(code(await client.response())).toBe('421 misdirected-request');
    expect(code(await ask(host, ours.client))).toBe('200');
    client.close();
  });
});

describe('hsts', () => {
  it('is said over HTTPS alone, once, whatever the backend says', async () => {
    await backend.close();
    backend = await startBackend('HTTP/1.1 200 OK\r\nContent-Length: 0\r\nStrict-Transport-Security: max-age=1\r\n\r\n');
    const host = await frontend({ hsts: '{"maxAge": 60, "includeSubDomains": true, "preload": true}' });
    const answer = await ask(host);
    expect(answer.fields.all('strict-transport-security')).toEqual(['max-age=60; includeSubDomains; preload']);
    const plain = await connectClient(proxy.port);
    plain.send(head('GET', '/', await frontend({ hsts: 'true' })));
    const { fields } = await plain.response();
    expect(fields.all('strict-transport-security')).toEqual(['max-age=1']);
    plain.close();
  });

  it('is said on answers of the proxy too', async () => {
    const host = await frontend({ hsts: '365d', redirectTo: 'https://elsewhere.example' });
    expect((await ask(host)).fields.get('strict-transport-security')).toBe('max-age=31536000');
  });
});
