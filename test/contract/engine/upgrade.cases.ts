// Upgrades: a tunnel when the backend agrees, its own answer when it does not.
import { expect } from 'vitest';
import { type BackendConnection, type BackendRequest, ok, response, type Script } from '../../helpers/backend.js';
import { eventually } from '../../helpers/eventually.js';
import { webSocketAccept } from '../../helpers/websocket-stream.js';
import { type CaseGroup, head } from './world.js';

/** Lines of a handshake. */
export const webSocket = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZQ==',
  'Sec-WebSocket-Version: 13',
];
/** The agreement of a backend (RFC 6455 section 4.2.2). @param lines more of it, each ended by CRLF */
export function switching(request: BackendRequest, lines = ''): string {
  const accept = webSocketAccept(request.fields.get('sec-websocket-key') ?? '');
  const own = `Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n`;
  return `HTTP/1.1 101 Switching Protocols\r\n${own}${lines}\r\n`;
}

/** Agrees, then sends everything back until the client ends. */
export async function echo(request: BackendRequest, connection: BackendConnection): Promise<void> {
  connection.send(switching(request));
  for (;;) {
    const bytes = await connection.queue.some();
    if (bytes === null) break;
    await connection.flood(bytes);
  }
  connection.end();
}

export const upgradeCases: CaseGroup = {
  title: 'upgrades',
  cases: [
    {
      title: 'becomes a tunnel when the backend switches protocols',
      async run(world) {
        const backend = await world.backend(echo);
        const client = await world.client();
        client.send(head('GET', '/chat', await world.frontend(backend), ...webSocket));
        const answer = await client.head();
        expect(answer.startLine).toBe('HTTP/1.1 101 Switching Protocols');
        expect(answer.fields.get('upgrade')).toBe('websocket');
        expect(answer.fields.get('connection')?.toLowerCase()).toBe('upgrade');
        for (const word of ['one', 'two\r\n\r\n', '\0\x01\xff']) {
          client.send(word);
          expect((await client.queue.take(word.length)).toString('latin1')).toBe(word);
        }
        const { fields, target } = backend.only;
        expect(target).toBe('/chat');
        expect(fields.get('connection')?.toLowerCase()).toBe('upgrade');
        expect(fields.get('upgrade')).toBe('websocket');
      },
    },
    {
      title: 'passes the key of a handshake on, and what the backend makes of it',
      async run(world) {
        const backend = await world.backend(echo);
        const client = await world.client();
        client.send(head('GET', '/chat', await world.frontend(backend), ...webSocket));
        const answer = await client.head();
        expect(backend.only.fields.get('sec-websocket-key')).toBe('dGhlIHNhbXBsZQ==');
        expect(switching(backend.only)).toContain(`Sec-WebSocket-Accept: ${answer.fields.get('sec-websocket-accept')}\r\n`);
      },
    },
    {
      title: 'tells the backend of an upgrade about the client',
      async run(world) {
        const backend = await world.backend(echo);
        const host = await world.frontend(backend);
        const client = await world.client();
        client.send(head('GET', '/', host, ...webSocket, 'X-Forwarded-For: 6.6.6.6'));
        await client.head();
        const { fields } = backend.only;
        expect(fields.all('x-forwarded-for')).toEqual(['127.0.0.1']);
        expect(fields.all('x-forwarded-proto')).toEqual(['http']);
        expect(fields.all('x-real-ip')).toEqual(['127.0.0.1']);
        expect(fields.all('host')).toEqual([host]);
        expect(fields.get('x-request-id')).not.toBeNull();
      },
    },
    {
      title: 'delivers bytes that a client sends together with the handshake',
      async run(world) {
        const backend = await world.backend(echo);
        const client = await world.client();
        client.send(`${head('GET', '/', await world.frontend(backend), ...webSocket)}early bytes`);
        await client.head();
        expect((await client.queue.take(11)).toString('latin1')).toBe('early bytes');
      },
    },
    {
      title: 'delivers bytes that a backend sends together with its agreement',
      async run(world) {
        const backend = await world.backend(async (request, connection) => {
          connection.send(`${switching(request)}welcome`);
          await connection.queue.rest();
        });
        const client = await world.client();
        client.send(head('GET', '/', await world.frontend(backend), ...webSocket));
        await client.head();
        expect((await client.queue.take(7)).toString('latin1')).toBe('welcome');
      },
    },
    {
      title: 'becomes a tunnel behind a pipelined request and an interim response',
      async run(world) {
        const backend = await world.backend(async (request, connection) => {
          if (request.fields.get('upgrade') === null) connection.send(ok('first'));
          else {
            connection.send('HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n');
            await echo(request, connection);
          }
        });
        const host = await world.frontend(backend);
        const client = await world.client();
        client.send(`${head('GET', '/', host)}${head('GET', '/', host, ...webSocket)}and more`);
        expect((await client.response()).text).toBe('first');
        const answer = await client.response();
        expect(answer.status).toBe(101);
        expect(answer.interims).toHaveLength(1);
        expect((await client.queue.take(8)).toString('latin1')).toBe('and more');
      },
    },
    {
      title: 'relays an answer of a backend that does not switch, and goes on with the connection',
      async run(world) {
        const backend = await world.backend(response('403 Forbidden', 'not here', 'X-Why: so'));
        const host = await world.frontend(backend);
        const client = await world.client();
        client.send(head('GET', '/', host, ...webSocket));
        const answer = await client.response();
        expect(answer.status).toBe(403);
        expect(answer.fields.get('x-why')).toBe('so');
        expect(answer.text).toBe('not here');
        expect(answer.fields.get('x-cjs-proxy-error')).toBeNull();
        client.send(head('GET', '/', host));
        expect((await client.response()).status).toBe(403);
      },
    },
    {
      title: 'relays a chunked answer of a backend that does not switch',
      async run(world) {
        const backend = await world.backend(
          'HTTP/1.1 426 Upgrade Required\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nyou\r\n0\r\n\r\n',
        );
        const client = await world.client();
        client.send(head('GET', '/', await world.frontend(backend), ...webSocket));
        const answer = await client.response();
        expect(answer.status).toBe(426);
        expect(answer.text).toBe('you');
      },
    },
    {
      title: 'keeps every Set-Cookie of a switch a line of its own',
      async run(world) {
        const lines = 'Set-Cookie: a=1; Path=/\r\nset-cookie: b=2\r\nX-Kept: yes\r\n';
        const backend = await world.backend(async (request, connection) => {
          connection.send(switching(request, lines));
          await connection.queue.rest();
        });
        const client = await world.client();
        client.send(head('GET', '/', await world.frontend(backend), ...webSocket));
        const answer = await client.head();
        expect(answer.fields.all('set-cookie')).toEqual(['a=1; Path=/', 'b=2']);
        expect(answer.fields.get('x-kept')).toBe('yes');
      },
    },
    {
      title: 'tunnels any other protocol',
      async run(world) {
        const backend = await world.backend(async (_request, connection) => {
          connection.send('HTTP/1.1 101 Go\r\nConnection: upgrade\r\nUpgrade: my-proto/2\r\n\r\n');
          const bytes = await connection.queue.take(4);
          connection.send(`<${bytes.toString('latin1')}>`);
          await connection.queue.rest();
        });
        const client = await world.client();
        client.send(head('POST', '/', await world.frontend(backend), 'Connection: upgrade', 'Upgrade: my-proto/2'));
        const answer = await client.head();
        expect(answer.startLine).toBe('HTTP/1.1 101 Go');
        expect(answer.fields.get('upgrade')).toBe('my-proto/2');
        client.send('ping');
        expect((await client.queue.take(6)).toString('latin1')).toBe('<ping>');
        expect(backend.only.fields.get('upgrade')).toBe('my-proto/2');
      },
    },
    {
      title: 'passes no upgrade to HTTP/2 on, and serves the request as it is',
      async run(world) {
        const backend = await world.backend(ok('plain'));
        const host = await world.frontend(backend);
        const answer = await world.get(
          host,
          '/',
          'Connection: Upgrade, HTTP2-Settings',
          'Upgrade: h2c',
          'HTTP2-Settings: AAMAAABk',
        );
        expect(answer.text).toBe('plain');
        expect(backend.only.fields.all('upgrade')).toEqual([]);
        expect(backend.only.fields.all('http2-settings')).toEqual([]);
      },
    },
    {
      title: 'tries another backend when one refuses an upgrade connection',
      async run(world) {
        const backend = await world.backend(echo);
        const host = await world.frontend(world.refusing[0], backend);
        for (let turn = 0; turn < 3; turn++) {
          const client = await world.client();
          client.send(`${head('GET', '/', host, ...webSocket)}hello`);
          expect((await client.head()).startLine).toContain('101');
          expect((await client.queue.take(5)).toString('latin1')).toBe('hello');
          client.close();
        }
        await eventually('the mark', async () => (await world.dead(host)).includes(world.refusing[0]));
      },
    },
    {
      title: 'answers 502 to an upgrade that no backend takes',
      async run(world) {
        const answer = await world.get(await world.frontend(...world.refusing), '/', ...webSocket);
        expect(answer.status).toBe(502);
        expect(answer.fields.get('x-cjs-proxy-error')).not.toBeNull();
      },
    },
    {
      title: 'never repeats an upgrade that a backend may have seen',
      async run(world) {
        const closing: Script = (_request, connection) => connection.end();
        const one = await world.backend(closing);
        const two = await world.backend(closing);
        const answer = await world.get(await world.frontend(one, two), '/', ...webSocket);
        expect(answer.status).toBe(502);
        expect(one.requests.length + two.requests.length).toBe(1);
      },
    },
    {
      title: 'answers 504 to an upgrade whose backend is silent',
      settings: { server: { backendTimeout: 500 } },
      async run(world) {
        const backend = await world.backend(() => {});
        const answer = await world.get(await world.frontend(backend), '/', ...webSocket);
        expect(answer.status).toBe(504);
        await eventually('the backend connection to close', () => backend.open === 0);
      },
    },
    {
      title: 'answers an upgrade for an unknown host',
      async run(world) {
        const answer = await world.get('nobody.example.com', '/', ...webSocket);
        expect(answer.status).toBe(400);
        expect(answer.fields.get('x-cjs-proxy-error')).toBe('unknown-frontend');
      },
    },
  ],
};
