// A backend may answer before it has the whole request (RFC 9112 section 9.6): the answer must arrive, whatever becomes of the rest.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { head, pattern } from '../contract/engine/world.js';
import { ok, response } from '../helpers/backend.js';
import { EndedEarly } from '../helpers/byte-queue.js';
import { eventually } from '../helpers/eventually.js';
import { useProxy } from './use-proxy.js';

const wire = useProxy();
const refusal = response('413 Content Too Large', 'too large');

describe('an answer that comes before the end of the request', () => {
  it('arrives while the client has not sent a byte of the body, and the connection goes on', async () => {
    const { world } = wire;
    const backend = await world.backend((request, connection) => {
      connection.send(request.target === '/next' ? ok('next') : refusal);
    });
    const host = await world.frontend(backend);
    const client = await world.client();
    client.send(head('POST', '/', host, 'Content-Length: 1000'));
    expect((await client.response()).text).toBe('too large');
    client.send(pattern(1000));
    client.send(head('GET', '/next', host));
    expect((await client.response()).text).toBe('next');
    // Half a request was sent on the first connection: nothing else may follow it there.
    expect(backend.connections.map((connection) => connection.requests)).toEqual([1, 1]);
  });

  it('arrives whole at a client that sends all of a large body before it reads', async () => {
    const { world } = wire;
    const backend = await world.backend((_request, connection) => connection.send(refusal));
    const host = await world.frontend(backend);
    const client = await world.client();
    client.pause();
    client.send(head('POST', '/', host, `Content-Length: ${32 << 20}`));
    // More than the proxy is willing to throw away for the sake of the connection.
    const sent = client.sendAll(pattern(32 << 20));
    await eventually('the answer', () => backend.requests.length === 1);
    await Promise.race([sent, eventually('the connection to end', () => client.socket.destroyed, 4000)]).catch(() => {});
    client.resume();
    const answer = await client.response();
    expect(answer.status).toBe(413);
    expect(answer.text).toBe('too large');
  });

  it('arrives when the proxy itself refuses a large body, known host or not', async () => {
    const { world } = wire;
    const client = await world.client();
    client.send(head('POST', '/', 'nobody.example.com', `Content-Length: ${16 << 20}`, 'Accept: text/plain'));
    const sent = client.sendAll(pattern(16 << 20));
    const answer = await client.response();
    expect(answer.fields.get('x-cjs-proxy-error')).toBe('unknown-frontend');
    expect(answer.text).toContain('not associated');
    await Promise.race([sent, client.ended()]);
  });

  it('ends the connection in good order when the client goes on sending without end', async () => {
    const { world } = wire;
    const backend = await world.backend((_request, connection) => connection.send(refusal));
    const client = await world.client();
    client.send(head('POST', '/', await world.frontend(backend), 'Transfer-Encoding: chunked'));
    expect((await client.response()).text).toBe('too large');
    const chunk = Buffer.concat([Buffer.from('10000\r\n'), pattern(0x10000), Buffer.from('\r\n')]);
    void client.sendAll(Buffer.concat(Array.from({ length: 100 }, () => chunk)));
    expect(await client.ended()).toBe('end');
  });

  it('leaves no client waiting whose last bytes the backend never took', async () => {
    const { world } = wire;
    const folder = await mkdtemp(join(tmpdir(), 'early-answers-'));
    try {
      // The way into a unix socket holds a few hundred KiB. One of these bodies ends where it is just full, so that the
      // proxy has all of the body, waits for the backend to take the end of it, and has stopped reading from the client.
      const backend = await world.backend(refusal, {
        path: join(folder, 'socket'),
        accept: (connection) => void connection.socket.pause(),
      });
      const next = await world.frontend(await world.backend(ok('next')));
      const host = await world.frontend(backend);
      for (let length = 64; length < 768; length += 32) {
        const client = await world.client();
        client.send(head('POST', '/', host, `Content-Length: ${length << 10}`));
        client.send(pattern(length << 10));
        const connection = await eventually('a backend connection', () => backend.connections.pop());
        for (let turn = 0; turn < 3; turn++) await world.get('__ping__');
        connection.send(response('413 Content Too Large', 'too large', 'Connection: close'));
        expect((await client.response()).text).toBe('too large');
        client.send(head('GET', '/next', next));
        // Where too much of the body is left the connection ends; it may not fall silent.
        const text = await client.response().then(
          (answer) => answer.text,
          (error: unknown) => (error instanceof EndedEarly ? 'ended' : String(error)),
        );
        expect(length < 300 ? ['next'] : ['next', 'ended']).toContain(text);
        connection.socket.destroy();
        client.close();
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('arrives from a backend that answers and closes without having read the body', async () => {
    const { world } = wire;
    const backend = await world.backend((_request, connection) => {
      connection.socket.pause();
      connection.end(response('413 Content Too Large', 'too large', 'Connection: close'));
    });
    const client = await world.client();
    client.send(head('POST', '/', await world.frontend(backend), `Content-Length: ${1 << 20}`));
    client.send(pattern(1 << 20));
    expect((await client.response()).text).toBe('too large');
  });
});
