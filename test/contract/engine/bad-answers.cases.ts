// Answers that are none, answers that are broken off, and bytes that belong to no answer.
import { expect } from 'vitest';
import { ok, response, type Script } from '../../helpers/backend.js';
import { EndedEarly } from '../../helpers/byte-queue.js';
import { eventually, pause } from '../../helpers/eventually.js';
import { inChunks } from '../../helpers/http-reader.js';
import { type Case, type CaseGroup, head, withBody } from './world.js';

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
      expect(backend.dialled).toBe(2);
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

export const badAnswerCases: CaseGroup = {
  title: 'bad answers',
  cases: [
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
  ],
};
