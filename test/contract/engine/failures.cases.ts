// What a client sees when a backend fails, and what a backend sees when a client does.
import { expect } from 'vitest';
import { ok, response, type Script } from '../../helpers/backend.js';
import { EndedEarly } from '../../helpers/byte-queue.js';
import { eventually, pause } from '../../helpers/eventually.js';
import { inChunks } from '../../helpers/http-reader.js';
import { type Case, type CaseGroup, head, pattern, withBody } from './world.js';

const headOfHundred = 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n';
const chunkedHead = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';

/** An answer that is none: 502, and the connection to the backend is not used again. */
function badAnswerCase(title: string, text: string, code = 'backend-bad-response'): Case {
  return {
    title,
    async run(world) {
      const backend = await world.backend(async (request, connection) => {
        await request.whole();
        if (request.target === '/good') connection.send(ok('good'));
        else connection.end(text);
      });
      const host = await world.frontend(backend);
      const client = await world.client();
      client.send(head('GET', '/bad', host));
      const answer = await client.response();
      expect(answer.status).toBe(502);
      expect(answer.fields.get('x-cjs-proxy-error')).toBe(code);
      // The client's connection is none the worse for it.
      client.send(head('GET', '/good', host));
      expect((await client.response()).text).toBe('good');
      expect(backend.connections).toHaveLength(2);
    },
  };
}

/** An answer that is broken off: the client gets what came and sees that it is not all. */
function cutCase(title: string, text: string, expected: string, leave: (connection: Parameters<Script>[1]) => void): Case {
  return {
    title,
    async run(world) {
      const backend = await world.backend(async (_request, connection) => {
        connection.send(text);
        await pause(50);
        leave(connection);
      });
      const failure = await world.get(await world.frontend(backend)).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(EndedEarly);
      expect((failure as EndedEarly).partial.toString('latin1')).toBe(expected);
    },
  };
}

export const failureCases: CaseGroup = {
  title: 'failures',
  cases: [
    {
      title: 'answers 502 when the only backend refuses, each time anew',
      async run(world) {
        const host = await world.frontend(world.refusing[0]);
        for (let turn = 0; turn < 2; turn++) {
          const answer = await world.get(host);
          expect(answer.status).toBe(502);
          expect(answer.fields.get('x-cjs-proxy-error')).toBe('backend-refused');
        }
      },
    },
    {
      title: 'answers 502 when the name of a backend does not exist',
      async run(world) {
        const answer = await world.get(await world.frontend('http://no-such-host.invalid:80'));
        expect(answer.status).toBe(502);
        expect(answer.fields.get('x-cjs-proxy-error')).toBe('backend-unreachable');
      },
    },
    badAnswerCase('answers 502 when a backend closes without an answer', '', 'backend-closed'),
    badAnswerCase('answers 502 to garbage', 'SSH-2.0-OpenSSH_9.2\r\n\r\nwhatever'),
    badAnswerCase('answers 502 to a head that is cut', 'HTTP/1.1 200 OK\r\nContent-Le'),
    badAnswerCase(
      'answers 502 to two different lengths',
      'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd',
    ),
    badAnswerCase('answers 502 to the same length twice', 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc'),
    badAnswerCase('answers 502 to a list of lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 3, 3\r\n\r\nabc'),
    badAnswerCase(
      'answers 502 to chunks in HTTP/1.0',
      'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
    ),
    badAnswerCase(
      'answers 502 to chunks within chunks',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n',
    ),
    badAnswerCase('answers 502 to line ends without CR', 'HTTP/1.1 200 OK\nContent-Length: 3\n\nabc'),
    badAnswerCase('answers 502 to a CR within a header value', 'HTTP/1.1 200 OK\r\nX-A: b\rc\r\nContent-Length: 0\r\n\r\n'),
    badAnswerCase('answers 502 to a status that is no number', 'HTTP/1.1 2OO OK\r\nContent-Length: 0\r\n\r\n'),
    badAnswerCase('answers 502 when a backend closes after an interim response', 'HTTP/1.1 100 Continue\r\n\r\n'),
    badAnswerCase(
      'answers 502 to a length beside chunks',
      `HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    ),
    badAnswerCase('answers 502 to a length that is no number', 'HTTP/1.1 200 OK\r\nContent-Length: 3x\r\n\r\nabc'),
    badAnswerCase('answers 502 to a negative length', 'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nabc'),
    badAnswerCase('answers 502 to an unknown transfer coding', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nabc'),
    badAnswerCase(
      'answers 502 to a header line without a colon',
      'HTTP/1.1 200 OK\r\nno colon here\r\nContent-Length: 0\r\n\r\n',
    ),
    badAnswerCase('answers 502 to a header name with a blank', 'HTTP/1.1 200 OK\r\nX-A : b\r\nContent-Length: 0\r\n\r\n'),
    badAnswerCase('answers 502 to a NUL in a header value', 'HTTP/1.1 200 OK\r\nX-A: b\0c\r\nContent-Length: 0\r\n\r\n'),
    badAnswerCase('answers 502 to a folded header line', 'HTTP/1.1 200 OK\r\nX-A: b\r\n  c\r\nContent-Length: 0\r\n\r\n'),
    badAnswerCase('answers 502 to an unknown version', 'HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n'),
    badAnswerCase(
      'answers 502 to a head that is too large',
      `HTTP/1.1 200 OK\r\n${'X-A: bbbbbbbbbbbbbbbbbbbb\r\n'.repeat(3000)}\r\n`,
    ),
    badAnswerCase(
      'answers 502 to too many header lines',
      `HTTP/1.1 200 OK\r\n${'A: b\r\n'.repeat(150)}Content-Length: 0\r\n\r\n`,
    ),
    badAnswerCase(
      'answers 502 to a switch of protocols that nobody asked for',
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n',
    ),
    cutCase('lets the client see that a body with a length was cut', `${headOfHundred}only this`, 'only this', (connection) =>
      connection.end(),
    ),
    cutCase(
      'lets the client see that a chunked body was cut',
      `${chunkedHead}4\r\nonly\r\n5\r\n this`,
      'only this',
      (connection) => connection.end(),
    ),
    cutCase('lets the client see that a body was cut by a reset', `${headOfHundred}only this`, 'only this', (connection) =>
      connection.reset(),
    ),
    cutCase(
      'lets the client see that a body without a length was cut by a reset',
      'HTTP/1.1 200 OK\r\n\r\nonly this',
      'only this',
      (connection) => connection.reset(),
    ),
    cutCase('cuts a body at a chunk of impossible size', `${chunkedHead}4\r\ngood\r\n`, 'good', (connection) =>
      connection.send('fffffffffffffffff\r\nbad'),
    ),
    cutCase('cuts a body at a malformed trailer', `${chunkedHead}4\r\ngood\r\n`, 'good', (connection) =>
      connection.send('0\r\nno trailer\r\n\r\n'),
    ),
    cutCase('cuts a body at a malformed chunk', `${chunkedHead}4\r\ngood\r\n`, 'good', (connection) =>
      connection.send('zz\r\nbad'),
    ),
    {
      title: 'does not take bytes behind a complete answer for the next answer',
      async run(world) {
        const backend = await world.backend(async (request, connection) => {
          await request.whole();
          connection.send(`${ok('mine')}${request.target === '/first' ? ok('poison') : ''}`);
        });
        const host = await world.frontend(backend);
        expect((await world.get(host, '/first')).text).toBe('mine');
        for (let turn = 0; turn < 3; turn++) expect((await world.get(host, '/next')).text).toBe('mine');
      },
    },
    {
      title: 'does not take what a backend says unasked for the next answer',
      async run(world) {
        const backend = await world.backend(async (request, connection) => {
          await request.whole();
          connection.send(ok('mine'));
          if (request.target !== '/first') return;
          await pause(20);
          connection.send(ok('poison'));
        });
        const host = await world.frontend(backend);
        expect((await world.get(host, '/first')).text).toBe('mine');
        await eventually('the connection to close', () => backend.open === 0);
        for (let turn = 0; turn < 3; turn++) expect((await world.get(host, '/next')).text).toBe('mine');
      },
    },
    {
      title: 'keeps requests and answers together while backends fail at random',
      async run(world) {
        const backend = await world.backend(async (request, connection) => {
          const { bytes } = await request.whole();
          const [, kind = '', id = ''] = request.target.split('/');
          const text = `${id} ${bytes.length}`;
          if (kind === 'ok') connection.send(ok(text));
          else if (kind === 'close') connection.send(response('200 OK', text, 'Connection: close'));
          else if (kind === 'chunks') connection.send(Buffer.concat([Buffer.from(chunkedHead), inChunks(text, 2)]));
          else if (kind === 'until-end') connection.end(`HTTP/1.1 200 OK\r\n\r\n${text}`);
          else if (kind === 'hints') connection.send(`HTTP/1.1 103 Early Hints\r\n\r\n${ok(text)}`);
          else if (kind === 'garbage') connection.send('nonsense\r\n\r\n');
          else if (kind === 'reset') connection.reset();
          else connection.end();
        });
        const kinds = ['ok', 'close', 'chunks', 'until-end', 'hints', 'garbage', 'reset', 'silent-end'];
        const host = await world.frontend(backend);
        let seed = 1;
        const next = (below: number): number => {
          seed = (seed * 48271) % 2147483647;
          return seed % below;
        };
        const turns = Array.from({ length: 12 }, (_, client) =>
          Array.from({ length: 25 }, (_, turn) => ({
            id: `c${client}t${turn}`,
            kind: kinds[next(kinds.length)] ?? 'ok',
            size: next(3) * next(40_000),
          })),
        );
        await Promise.all(
          turns.map(async (mine) => {
            const client = await world.client();
            for (const { id, kind, size } of mine) {
              client.send(withBody('POST', `/${kind}/${id}`, host, 'x'.repeat(size)));
              const answer = await client.response();
              // A kept connection may be gone when a POST meets it; then the answer is 502 and nothing else.
              if (answer.status === 200) expect(answer.text).toBe(`${id} ${size}`);
              else expect([answer.status, answer.fields.get('x-cjs-proxy-error') !== null]).toEqual([502, true]);
              if (kind === 'garbage' || kind === 'reset' || kind === 'silent-end') expect(answer.status).toBe(502);
            }
          }),
        );
        const seen = backend.requests.map((request) => request.target);
        expect(new Set(seen).size).toBe(seen.length);
      },
    },
    {
      title: 'answers 504 in time when a backend is silent',
      settings: { server: { backendTimeout: 500 } },
      async run(world) {
        const backend = await world.backend(() => {});
        const host = await world.frontend(backend);
        const begin = performance.now();
        const answer = await world.get(host);
        expect(answer.status).toBe(504);
        expect(answer.fields.get('x-cjs-proxy-error')).toBe('backend-timeout');
        const took = performance.now() - begin;
        expect(took).toBeGreaterThan(400);
        expect(took).toBeLessThan(2500);
        await eventually('the backend connection to close', () => backend.open === 0);
      },
    },
    {
      title: 'answers 504 to a POST whose backend is silent, and sends it once',
      settings: { server: { backendTimeout: 500 } },
      async run(world) {
        const one = await world.backend(() => {});
        const two = await world.backend(() => {});
        const answer = await world.exchange(withBody('POST', '/', await world.frontend(one, two), 'body'));
        expect(answer.status).toBe(504);
        expect(one.requests.length + two.requests.length).toBe(1);
      },
    },
    {
      title: 'cuts an answer whose backend falls silent in the middle',
      settings: { server: { backendTimeout: 500 } },
      async run(world) {
        const backend = await world.backend((_request, connection) => connection.send(`${headOfHundred}only this`));
        await expect(world.get(await world.frontend(backend))).rejects.toThrow('the connection ended');
        await eventually('the backend connection to close', () => backend.open === 0);
      },
    },
    {
      title: 'is patient with a slow backend that keeps on sending',
      settings: { server: { backendTimeout: 500 } },
      async run(world) {
        const backend = await world.backend(async (_request, connection) => {
          connection.send('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n');
          for (const byte of 'slowly') {
            await pause(200);
            connection.send(byte);
          }
        });
        expect((await world.get(await world.frontend(backend))).text).toBe('slowly');
      },
    },
    {
      title: 'does not blame a backend for a client that is slow to send',
      settings: { server: { backendTimeout: 500 } },
      async run(world) {
        const backend = await world.backend(ok('waited'));
        const client = await world.client();
        client.send(head('POST', '/', await world.frontend(backend), 'Content-Length: 8'));
        client.send('half');
        await pause(1200);
        client.send('half');
        expect((await client.response()).text).toBe('waited');
      },
    },
    {
      title: 'does not blame a backend for a client that is slow to read',
      settings: { server: { backendTimeout: 500 } },
      async run(world) {
        const bytes = pattern(32 * 1_048_576);
        const backend = await world.backend(async (_request, connection) => {
          connection.send(`HTTP/1.1 200 OK\r\nContent-Length: ${bytes.length}\r\n\r\n`);
          await connection.flood(bytes);
        });
        const client = await world.client();
        client.send(head('GET', '/', await world.frontend(backend)));
        const start = await client.head();
        client.pause();
        await pause(1200);
        client.resume();
        expect((await client.finish(start)).body.equals(bytes)).toBe(true);
      },
    },
    {
      title: 'gives a backend up when its client leaves before the answer',
      async run(world) {
        const backend = await world.backend(() => {});
        const client = await world.client();
        client.send(head('GET', '/', await world.frontend(backend)));
        await eventually('the request to arrive', () => backend.requests.length === 1);
        client.reset();
        await eventually('the backend connection to close', () => backend.open === 0);
      },
    },
    {
      title: 'gives a backend up when its client leaves in the middle of the answer',
      async run(world) {
        const backend = await world.backend((_request, connection) => connection.send(`${headOfHundred}some`));
        const client = await world.client();
        client.send(head('GET', '/', await world.frontend(backend)));
        await client.queue.until('some');
        client.reset();
        await eventually('the backend connection to close', () => backend.open === 0);
      },
    },
    {
      title: 'gives a backend up when its client leaves in the middle of the request',
      async run(world) {
        const backend = await world.backend(ok());
        const client = await world.client();
        client.send(head('POST', '/', await world.frontend(backend), 'Content-Length: 100'));
        client.send('some');
        await eventually('the request to arrive', () => (backend.connections[0]?.queue.length ?? 0) > 0);
        client.reset();
        await eventually('the backend connection to close', () => backend.open === 0);
        expect(backend.only.body).toBeNull();
      },
    },
    {
      title: 'gives a client the answer when it has closed its sending side',
      async run(world) {
        const backend = await world.backend(async (_request, connection) => {
          await pause(50);
          connection.send(ok('still here'));
        });
        const client = await world.client();
        client.send(head('GET', '/', await world.frontend(backend)));
        client.end();
        expect((await client.response()).text).toBe('still here');
        expect(await client.ended()).toBe('end');
      },
    },
    {
      title: 'describes an error in JSON to a client that asks for it',
      async run(world) {
        const host = await world.frontend(world.refusing[0]);
        const answer = await world.get(host, '/', 'Accept: application/json');
        expect(answer.status).toBe(502);
        expect(answer.fields.get('content-type')).toContain('application/json');
        expect(JSON.parse(answer.text)).toMatchObject({ error: { code: 'backend-refused', status: 502 } });
      },
    },
    {
      title: 'shows a browser a page',
      async run(world) {
        const host = await world.frontend(world.refusing[0]);
        const answer = await world.get(host, '/', 'Accept: text/html');
        expect(answer.fields.get('content-type')).toContain('text/html');
        expect(answer.text).toContain('<html');
      },
    },
    {
      title: 'sends no body with an error in answer to HEAD',
      async run(world) {
        const host = await world.frontend(world.refusing[0]);
        const client = await world.client();
        client.send(head('HEAD', '/', host));
        expect((await client.response('HEAD')).status).toBe(502);
        client.send(head('HEAD', '/', host));
        expect((await client.response('HEAD')).status).toBe(502);
        expect(client.queue.length).toBe(0);
      },
    },
    {
      title: 'keeps the connection of a client through an error, its body thrown away',
      async run(world) {
        const backend = await world.backend(ok('alive'));
        const bad = await world.frontend(world.refusing[0]);
        const good = await world.frontend(backend);
        const client = await world.client();
        client.send(withBody('POST', '/', bad, 'x'.repeat(10_000)) + head('GET', '/', good));
        expect((await client.response()).status).toBe(502);
        expect((await client.response()).text).toBe('alive');
      },
    },
    {
      title: 'serves others on after a backend failed in every way',
      async run(world) {
        const texts = ['', 'garbage\r\n\r\n', headOfHundred, `${chunkedHead}zz\r\n`, response('101 What', '')];
        const broken = await world.backend(async (request, connection) =>
          connection.end(texts[Number(request.target.slice(1))] ?? ''),
        );
        const backend = await world.backend(ok('fine'));
        const bad = await world.frontend(broken);
        const good = await world.frontend(backend);
        await Promise.all(texts.map((_, at) => world.get(bad, `/${at}`).catch(() => {})));
        expect((await world.get(good)).text).toBe('fine');
      },
    },
  ],
};
