// Many requests in one segment: each is answered, in order, by the right words.
import { expect, it } from 'vitest';
import { head, pattern, withBody } from '../contract/engine/world.js';
import { ok } from '../helpers/backend.js';
import { inChunks } from '../helpers/http-reader.js';
import { useProxy } from './use-proxy.js';

const wire = useProxy();

/** Answers each request with what it was. */
const echoing = async (
  request: { method: string; target: string; text: string; whole(): Promise<unknown> },
  connection: { send(text: string): void },
): Promise<void> => {
  await request.whole();
  connection.send(ok(`${request.method} ${request.target} ${request.text}`));
};

it('answers 500 requests of all kinds in one segment, in order', async () => {
  const { world } = wire;
  const backend = await world.backend(echoing);
  const host = await world.frontend(backend);
  const expected: string[] = [];
  const pieces: Buffer[] = [];
  for (let at = 0; at < 500; at++) {
    const kind = at % 5;
    if (kind === 0) pieces.push(Buffer.from(head('GET', `/${at}`, host)));
    if (kind === 1) pieces.push(Buffer.from(withBody('POST', `/${at}`, host, `body ${at}`)));
    if (kind === 2)
      pieces.push(Buffer.from(head('PUT', `/${at}`, host, 'Transfer-Encoding: chunked')), inChunks(`chunks ${at}`, 3));
    if (kind === 3) pieces.push(Buffer.from(head('GET', `/${at}`, '__ping__')));
    if (kind === 4) pieces.push(Buffer.from(head('GET', `/${at}`, 'nobody.example.com', 'Accept: text/plain')));
    expected.push(
      [
        `GET /${at} `,
        `POST /${at} body ${at}`,
        `PUT /${at} chunks ${at}`,
        'ok',
        'This domain is not associated with an application.\n',
      ][kind] as string,
    );
  }
  const client = await world.client();
  client.send(Buffer.concat(pieces));
  const texts: string[] = [];
  for (let at = 0; at < 500; at++) texts.push((await client.response()).text);
  expect(texts).toEqual(expected);
  expect(backend.connections.length).toBe(1);
});

it('waits with a client that pipelines more than it keeps', async () => {
  const { world } = wire;
  const backend = await world.backend(echoing);
  const host = await world.frontend(backend);
  const client = await world.client();
  const count = 400;
  // 4 KiB each: many times what is kept behind a running request.
  const filler = 'f'.repeat(4000);
  client.send(Array.from({ length: count }, (_, at) => head('GET', `/${at}`, host, `X: ${filler}`)).join(''));
  for (let at = 0; at < count; at++) expect((await client.response()).text).toBe(`GET /${at} `);
});

it('does not execute what comes behind the last request', async () => {
  const { world } = wire;
  const backend = await world.backend(echoing);
  const host = await world.frontend(backend);
  for (const request of [head('GET', '/last', host, 'Connection: close'), `GET /last HTTP/1.0\r\nHost: ${host}\r\n\r\n`]) {
    const client = await world.client();
    client.send(request + head('GET', '/never', host));
    const answer = await client.response();
    expect(answer.text).toBe('GET /last ');
    expect(answer.fields.get('connection')).toBe('close');
    const rest = await client.queue.rest();
    expect(rest).toMatchObject({ end: 'end', bytes: Buffer.alloc(0) });
  }
  expect(backend.requests.map((request) => request.target)).toEqual(['/last', '/last']);
});

it('does not execute what comes behind a request that was refused', async () => {
  const { world } = wire;
  const backend = await world.backend(echoing);
  const host = await world.frontend(backend);
  const client = await world.client();
  client.send(`${head('GET', '/1', host)}GET / HTTP/1.1\r\nbad header\r\n\r\n${head('GET', '/never', host)}`);
  expect((await client.response()).text).toBe('GET /1 ');
  expect((await client.response()).status).toBe(400);
  expect((await client.queue.rest()).bytes.length).toBe(0);
  expect(backend.only.target).toBe('/1');
});

it('goes on with the next request when one was answered before its body had come', async () => {
  const { world } = wire;
  const backend = await world.backend(echoing);
  const host = await world.frontend(backend);
  const client = await world.client();
  client.send(head('POST', '/', 'nobody.example.com', 'Content-Length: 100000', 'Accept: text/plain'));
  expect((await client.response()).status).toBe(400);
  client.send(pattern(100_000));
  client.send(head('GET', '/next', host));
  expect((await client.response()).text).toBe('GET /next ');
});

it('serves a pipelining client while a large answer is on its way', async () => {
  const { world } = wire;
  const body = pattern(2 << 20);
  const backend = await world.backend(async (request, connection) => {
    await request.whole();
    if (request.target !== '/large') return connection.send(ok(request.target));
    await connection.flood(Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`), body]));
  });
  const host = await world.frontend(backend);
  const client = await world.client();
  client.send(
    head('GET', '/large', host) + head('GET', '/small', host) + head('GET', '/large', host) + head('GET', '/end', host),
  );
  expect((await client.response()).body.equals(body)).toBe(true);
  expect((await client.response()).text).toBe('/small');
  expect((await client.response()).body.equals(body)).toBe(true);
  expect((await client.response()).text).toBe('/end');
});
