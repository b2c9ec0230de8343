// How long an exchange and its attempts may take, by policy.
import { expect } from 'vitest';
import { ok, type Script } from '../../helpers/backend.js';
import { eventually, pause } from '../../helpers/eventually.js';
import { switching, webSocket } from './upgrade.cases.js';
import { type CaseGroup, head, withBody } from './world.js';

/** Reads the request and says nothing. */
const silent: Script = async (request) => {
  await request.whole();
};

/** Answers after a while. */
const after =
  (milliseconds: number, text: string): Script =>
  async (request, connection) => {
    await request.whole();
    await pause(milliseconds);
    connection.send(ok(text));
  };

export const timeLimitCases: CaseGroup = {
  title: 'time limits by policy',
  cases: [
    {
      title: 'D.4 19: gives an attempt up after `tryTimeout` and tries another backend',
      async run(world) {
        const slow = await world.backend(silent);
        const good = await world.backend(ok('works'));
        const host = await world.frontend(slow, good);
        await world.policy(host, { tryTimeout: '150ms' });
        for (let turn = 0; turn < 2; turn++) expect((await world.get(host)).text).toBe('works');
        expect(slow.requests.length).toBeGreaterThan(0);
        await eventually('the connections of what was given up to close', () => slow.open === 0);
      },
    },
    {
      title: 'D.4 19: answers 504 when every attempt took too long',
      async run(world) {
        const one = await world.backend(silent);
        const two = await world.backend(silent);
        const host = await world.frontend(one, two);
        await world.policy(host, { tryTimeout: '100ms' });
        const answer = await world.get(host);
        expect(answer.status).toBe(504);
        expect(answer.fields.get('x-cjs-proxy-error')).toBe('backend-try-timeout');
        expect([one.requests.length, two.requests.length]).toEqual([1, 1]);
      },
    },
    {
      title: 'D.4 19: answers 504 to a POST that took too long, and sends it nowhere else',
      async run(world) {
        const one = await world.backend(silent);
        const two = await world.backend(silent);
        const host = await world.frontend(one, two);
        await world.policy(host, { tryTimeout: '100ms' });
        expect((await world.exchange(withBody('POST', '/', host, 'once only'))).status).toBe(504);
        expect(one.requests.length + two.requests.length).toBe(1);
      },
    },
    {
      title: 'does not count against an attempt what its client is slow to send',
      async run(world) {
        const backend = await world.backend(ok('whole'));
        const other = await world.backend(ok('whole'));
        const host = await world.frontend(backend, other);
        await world.policy(host, { tryTimeout: '100ms' });
        const client = await world.client();
        client.send(`${head('PUT', '/', host, 'Content-Length: 6')}abc`);
        await eventually('the head at the backend', () => backend.requests.length + other.requests.length === 1);
        await pause(300);
        client.send('def');
        expect((await client.response()).text).toBe('whole');
        expect(backend.requests.length + other.requests.length).toBe(1);
      },
    },
    {
      title: 'lets an answer that has begun take longer than `tryTimeout`',
      async run(world) {
        const backend = await world.backend(async (request, connection) => {
          await request.whole();
          connection.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst');
          await pause(300);
          connection.send('again');
        });
        const host = await world.frontend(backend, backend);
        await world.policy(host, { tryTimeout: '100ms' });
        expect((await world.get(host)).text).toBe('firstagain');
        expect(backend.requests).toHaveLength(1);
      },
    },
    {
      title: 'D.1 3: answers 504 when the whole exchange takes longer than `timeout`, attempts and all',
      async run(world) {
        const backends = [await world.backend(silent), await world.backend(silent), await world.backend(silent)];
        const host = await world.frontend(...backends);
        await world.policy(host, { timeout: '300ms', tryTimeout: '200ms', retries: 10 });
        const began = performance.now();
        const answer = await world.get(host);
        expect(performance.now() - began).toBeGreaterThan(290);
        expect(answer.status).toBe(504);
        expect(answer.fields.get('x-cjs-proxy-error')).toBe('total-timeout');
        expect(backends.reduce((sum, { requests }) => sum + requests.length, 0)).toBe(2);
      },
    },
    {
      title: 'cuts an answer that is not complete when `timeout` is over',
      async run(world) {
        const backend = await world.backend(async (request, connection) => {
          await request.whole();
          connection.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst');
        });
        const host = await world.frontend(backend);
        await world.policy(host, { timeout: '200ms' });
        await expect(world.get(host)).rejects.toThrow();
        await eventually('the connection to the backend to close', () => backend.open === 0);
      },
    },
    {
      title: 'makes no further attempt that `timeout` leaves no time for',
      async run(world) {
        const good = await world.backend(ok('too late'));
        const host = await world.frontend(world.refusing[0], good);
        await world.policy(host, { timeout: '300ms', retryBackoff: { first: '20s', max: '20s' }, retries: 3 });
        const answers = [await world.get(host), await world.get(host)].map(({ status, text }) =>
          status === 200 ? text : status,
        );
        expect(answers).toContain(502);
        expect(answers).not.toContain(504);
      },
    },
    {
      title: 'D.1 3: takes `backendTimeout` of the frontend instead of that of the server',
      settings: { server: { backendTimeout: 200 } },
      async run(world) {
        const patient = await world.frontend(await world.backend(after(800, 'slow but sure')));
        await world.policy(patient, { backendTimeout: '5s' });
        expect((await world.get(patient)).text).toBe('slow but sure');
      },
    },
    {
      title: 'D.1 3: answers 504 after the silence that `proxyTimeout` allows',
      async run(world) {
        const backend = await world.backend(silent);
        const host = await world.frontend(backend);
        await world.policy(host, { proxyTimeout: '100ms' });
        const answer = await world.get(host);
        expect(answer.status).toBe(504);
        expect(answer.fields.get('x-cjs-proxy-error')).toBe('backend-timeout');
      },
    },
    {
      title: 'gives a connection up that is not made within `connectTimeout` of the frontend, and tries another backend',
      async run(world) {
        // It accepts and never says a word of TLS.
        const mute = await world.backend(silent, { accept: (connection) => connection.socket.pause() });
        const good = await world.backend(ok('works'));
        const secure = world.inTls(mute);
        const host = await world.frontend(secure, good);
        await world.policy(host, { connectTimeout: '100ms' });
        const began = performance.now();
        for (let turn = 0; turn < 2; turn++) expect((await world.get(host)).text).toBe('works');
        // The server's own limit is three seconds.
        expect(performance.now() - began).toBeLessThan(2_500);
        const alone = await world.frontend(secure);
        await world.policy(alone, { connectTimeout: '100ms' });
        const answer = await world.get(alone);
        expect([answer.status, answer.fields.get('x-cjs-proxy-error')]).toEqual([504, 'backend-connect-timeout']);
      },
    },
    {
      title: 'lets each request wait for a free connection as long as the `connectTimeout` of its frontend says',
      settings: { server: { maxSockets: 1 } },
      async run(world) {
        let answer = (): void => {};
        const backend = await world.backend(async (request, connection) => {
          await request.whole();
          if (request.target === '/holds') await new Promise<void>((resolve) => (answer = resolve));
          connection.send(ok(request.target));
        });
        const patient = await world.frontend(backend);
        const hasty = await world.frontend(backend);
        await world.policy(hasty, { connectTimeout: '100ms' });
        const holder = world.get(patient, '/holds');
        await eventually('the connection to be in use', () => backend.requests.length === 1);
        const waiter = world.get(patient, '/waits');
        const refused = await world.get(hasty, '/hurries');
        expect([refused.status, refused.fields.get('x-cjs-proxy-error')]).toEqual([503, 'pool-exhausted']);
        answer();
        expect((await holder).text).toBe('/holds');
        expect((await waiter).text).toBe('/waits');
      },
    },
    {
      title: 'lets a tunnel live longer than `timeout` and `tryTimeout`',
      async run(world) {
        const backend = await world.backend(async (request, connection) => {
          connection.send(switching(request));
          await pause(500);
          connection.send('still here');
          connection.end();
        });
        const host = await world.frontend(backend);
        await world.policy(host, { timeout: '200ms', tryTimeout: '200ms' });
        const client = await world.client();
        client.send(head('GET', '/', host, ...webSocket));
        expect((await client.head()).startLine).toContain('101');
        expect((await client.queue.rest()).bytes.toString('latin1')).toBe('still here');
      },
    },
    {
      title: 'counts the time that a request waits for its turn, and gives its place in the queue back',
      async run(world) {
        const backend = await world.backend(async (request, connection) => {
          if (request.target !== '/tunnel') return connection.send(ok('served'));
          connection.send(switching(request));
          await eventually('the end of the tunnel', () => connection.closed);
        });
        const host = await world.frontend(backend);
        await world.policy(host, { timeout: '200ms', reqActiveLength: 1, reqQueueLength: 1 });
        const tunnel = await world.client();
        tunnel.send(head('GET', '/tunnel', host, ...webSocket));
        expect((await tunnel.head()).startLine).toContain('101');
        for (let turn = 0; turn < 2; turn++) {
          const answer = await world.get(host, '/waits');
          expect([answer.status, answer.fields.get('x-cjs-proxy-error')]).toEqual([504, 'total-timeout']);
        }
        expect(backend.requests).toHaveLength(1);
        tunnel.reset();
        await eventually('a free place', async () => (await world.get(host)).text === 'served');
      },
    },
    {
      title: 'leaves exchanges alone that are faster than all limits',
      async run(world) {
        const backend = await world.backend(ok('fast'));
        const host = await world.frontend(backend);
        await world.policy(host, { timeout: '2s', tryTimeout: '1s', connectTimeout: '1s', backendTimeout: '1s' });
        const client = await world.client();
        for (let turn = 0; turn < 20; turn++) {
          client.send(head('GET', '/', host));
          expect((await client.response()).text).toBe('fast');
        }
        expect(backend.dialled).toBe(1);
      },
    },
  ],
};
