// What people see when something is wrong: a page, or JSON for programs, and the operator's own page where there is one.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { head } from '../contract/engine/world.js';
import { response } from '../helpers/backend.js';
import { eventually } from '../helpers/eventually.js';
import { useProxy } from './use-proxy.js';

const unknown = 'nobody.example.com';

describe('an error of the proxy', () => {
  const wire = useProxy();

  it('is a page by default, for browsers and for who accepts anything', async () => {
    const { world } = wire;
    for (const accept of [
      [],
      ['Accept: */*'],
      ['Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'],
      ['Accept: ;;;'],
    ]) {
      const answer = await world.get(unknown, '/', ...accept);
      expect(answer.status).toBe(400);
      expect(answer.fields.get('content-type')).toBe('text/html');
      expect(answer.fields.get('x-cjs-proxy-error')).toBe('unknown-frontend');
      expect(answer.fields.get('cache-control')).toBe('no-cache');
      expect(answer.fields.get('pragma')).toBe('no-cache');
      expect(answer.fields.get('expires')).toBe('-1');
      expect(answer.fields.get('content-length')).toBe(String(answer.body.length));
      expect(answer.text).toContain('No Application Configured');
    }
  });

  it('is JSON for who prefers it, with the id of the request', async () => {
    const { world } = wire;
    for (const accept of [
      'application/json',
      'application/vnd.api+json, text/html;q=0.5',
      'text/html;q=0.1, application/problem+json',
    ]) {
      const answer = await world.get(unknown, '/', `Accept: ${accept}`);
      expect(answer.fields.get('content-type')).toBe('application/json');
      const { error } = JSON.parse(answer.text) as { error: Record<string, unknown> };
      expect(error).toMatchObject({ code: 'unknown-frontend', status: 400, source: 'client' });
      expect(error.requestId).toMatch(/^[0-9a-f-]{36}$/);
    }
  });

  it('is a line of text for who asks for text', async () => {
    const answer = await wire.world.get(unknown, '/', 'Accept: text/plain');
    expect(answer.fields.get('content-type')).toBe('text/plain');
    expect(answer.text).toBe('This domain is not associated with an application.\n');
  });

  it('has the same head and no body in answer to HEAD, and the connection goes on', async () => {
    const { world } = wire;
    const page = await world.get(unknown);
    const client = await world.client();
    for (let turn = 0; turn < 2; turn++) {
      client.send(head('HEAD', '/', unknown));
      const answer = await client.response('HEAD');
      expect(answer.fields.get('content-length')).toBe(page.fields.get('content-length'));
    }
    expect(client.queue.length).toBe(0);
  });

  it('says whether the proxy or the application failed', async () => {
    const { world } = wire;
    const refused = await world.get(await world.frontend(world.refusing[0]));
    expect(refused.status).toBe(502);
    expect(refused.text).toContain('Application Not Responding');
    const broken = await world.get(await world.frontend('nonsense://'));
    expect(broken.fields.get('x-cjs-proxy-error')).toBe('bad-frontend-record');
    expect(broken.text).not.toBe(refused.text);
  });

  it('tells nothing of addresses or internals', async () => {
    const { world } = wire;
    for (const accept of ['text/html', 'application/json', 'text/plain']) {
      const answer = await world.get(await world.frontend(world.refusing[0]), '/', `Accept: ${accept}`);
      expect(answer.head + answer.text).not.toMatch(/127\.0\.0\.1|ECONN|\.ts\b|node_modules/);
    }
  });

  it('is not what an application answers itself', async () => {
    const { world } = wire;
    const answer = await world.get(
      await world.frontend(await world.backend(response('502 Bad Gateway', 'my own', 'Content-Type: text/plain'))),
    );
    expect(answer.text).toBe('my own');
    expect(answer.fields.get('x-cjs-proxy-error')).toBeNull();
  });
});

describe('staticDir', () => {
  const folder = mkdtempSync(join(tmpdir(), 'error-pages-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const write = (name: string, text: string): void => writeFileSync(join(folder, `error_${name}.html`), text);
  write('default', '<p>default page');
  write('502', '<p>page of 502');
  write('unknown-frontend', '<p>page of a code');
  const wire = useProxy({ server: { staticDir: folder } });

  it('gives the page of the code, else of the status, else the default one, byte by byte', async () => {
    const { world } = wire;
    expect((await world.get(unknown)).text).toBe('<p>page of a code');
    expect((await world.get(await world.frontend(world.refusing[0]))).text).toBe('<p>page of 502');
    expect((await world.exchange('GET / HTTP/1.1\r\n\r\n')).text).toBe('<p>default page');
  });

  it('takes edits, new files and removals without a restart', async () => {
    const { world } = wire;
    const host = await world.frontend(world.refusing[0]);
    const shows = (text: string): Promise<boolean> =>
      eventually(`the page to be ${text}`, async () => (await world.get(host)).text === text);
    write('502', '<p>edited');
    await shows('<p>edited');
    write('backend-refused', '<p>new');
    await shows('<p>new');
    rmSync(join(folder, 'error_backend-refused.html'));
    rmSync(join(folder, 'error_502.html'));
    await shows('<p>default page');
  });
});

describe('a staticDir that is not there', () => {
  const wire = useProxy({ server: { staticDir: join(tmpdir(), 'there-is-no-such-folder') } });

  it('does not keep errors from being told', async () => {
    const answer = await wire.world.get(unknown);
    expect(answer.status).toBe(400);
    expect(answer.text).toContain('not associated');
  });
});
