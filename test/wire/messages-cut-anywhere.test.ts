// Where the network cuts a message must make no difference, to the byte.
import { expect, it } from 'vitest';
import { head } from '../contract/engine/world.js';
import { eventually } from '../helpers/eventually.js';
import type { RawResponse } from '../helpers/raw-client.js';
import { smuggled } from './refusals.js';
import { useProxy } from './use-proxy.js';

const wire = useProxy();

/** What a message amounts to, without what differs from one request to the next. */
function essence(text: string): string {
  return text.replace(/(x-request-id|traceparent): .*\r\n/gi, '').replace(/date: .*\r\n/i, '');
}

function told(response: RawResponse): string {
  return [
    ...response.interims.map((interim) => interim.text),
    essence(response.head),
    response.text,
    JSON.stringify(response.trailers.lines),
  ].join('|');
}

const requests: readonly (readonly [string, (host: string) => string])[] = [
  [
    'a head with a body',
    (host) =>
      `\r\n${head('POST', '/path?query=1', host, 'X-A: b', 'Content-Length: 11', 'Connection: keep-alive, X-Drop', 'X-Drop: 1')}hello world`,
  ],
  [
    'a head with chunks and trailers',
    (host) =>
      `${head('PUT', '/', host, 'Transfer-Encoding: chunked', 'Trailer: X-Sum')}5;e="x;y"\r\nhello\r\n06\r\n world\r\n0\r\nX-Sum: 1\r\n\r\n`,
  ],
  ['two requests', (host) => `${head('POST', '/1', host, 'Content-Length: 3')}one${head('GET', '/2', host)}`],
];

for (const [what, make] of requests) {
  it(`understands ${what} the same wherever it is cut`, async () => {
    const { world } = wire;
    const backend = await world.backend('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nDate: now\r\n\r\nok');
    const host = await world.frontend(backend);
    const bytes = make(host);
    const perMessage = what === 'two requests' ? 2 : 1;
    const client = await world.client();
    client.socket.setNoDelay(true);
    const seen = new Set<string>();
    for (let cut = 1; cut < bytes.length; cut++) {
      const before = world.proxy.proxy;
      client.send(bytes.slice(0, cut));
      // The rest must not catch up with the first piece: another connection's exchange lies between them.
      await world.get('__ping__');
      expect(before.activeExchanges).toBeLessThanOrEqual(1);
      client.send(bytes.slice(cut));
      for (let turn = 0; turn < perMessage; turn++) expect((await client.response()).text).toBe('ok');
      const arrived = backend.requests.splice(0);
      for (const request of arrived) await request.whole();
      seen.add(
        arrived
          .map((request) => `${essence(request.head)}|${request.text}|${JSON.stringify(request.body?.trailers.lines)}`)
          .join('||'),
      );
    }
    expect([...seen].length).toBe(1);
  });
}

const refusals: readonly (readonly [string, string, string])[] = [
  ['two different lengths', 'Content-Length: 5\r\nContent-Length: 48\r\n\r\n', 'ambiguous-length'],
  ['a length beside chunked', 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 'ambiguous-length'],
  ['chunked behind a vertical tab', 'Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n', 'bad-header'],
  ['a head that ends with a bare LF', 'A: b\r\n\n', 'bad-header'],
  ['a folded line', 'A: b\r\n c\r\n\r\n', 'bad-header'],
  ['a blank before the colon', 'Content-Length : 5\r\n\r\nhello', 'bad-header'],
  ['two Hosts', 'Host: other.example.com\r\n\r\n', 'bad-host'],
  ['a chunk size with a blank', 'Transfer-Encoding: chunked\r\n\r\n5 \r\nhello\r\n0\r\n\r\n', 'bad-chunk'],
];

for (const [what, lines, code] of refusals) {
  it(`refuses ${what} the same wherever it is cut`, async () => {
    const { world } = wire;
    const backend = await world.backend('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    const host = await world.frontend(backend);
    const bytes = `POST / HTTP/1.1\r\nHost: ${host}\r\n${lines}${smuggled.replaceAll('HOST', host)}`;
    const end = bytes.length - smuggled.replaceAll('HOST', host).length;
    for (let cut = 1; cut <= end; cut++) {
      const client = await world.client();
      client.socket.setNoDelay(true);
      client.send(bytes.slice(0, cut));
      await world.get('__ping__');
      client.send(bytes.slice(cut));
      const { fields } = await client.response();
      expect([cut, fields.get('x-cjs-proxy-error'), fields.get('connection')]).toEqual([cut, code, 'close']);
      // The answer is the last one: what stands behind is no request.
      expect((await client.queue.rest()).bytes.toString('latin1')).toBe('');
    }
    expect(backend.requests.filter(({ target }) => target === '/smuggled')).toEqual([]);
  });
}

const answers: readonly (readonly [string, string])[] = [
  [
    'an answer with Content-Length',
    'HTTP/1.1 200 Fine\r\nX-A: b\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 11\r\n\r\nhello world',
  ],
  [
    'an answer with chunks and trailers',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n5;e="x;y"\r\nhello\r\n06\r\n world\r\n0\r\nX-Sum: 1\r\n\r\n',
  ],
  [
    'an answer behind interim ones',
    'HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </b.css>\r\n\r\nHTTP/1.1 200\r\nContent-Length: 3\r\n\r\nend',
  ],
  ['an answer without a body', 'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\nContent-Length: 10\r\n\r\n'],
];

for (const [what, bytes] of answers) {
  it(`relays ${what} the same wherever it is cut`, async () => {
    const { world } = wire;
    const rest: (() => void)[] = [];
    let cut = 0;
    const backend = await world.backend((_request, connection) => {
      connection.socket.setNoDelay(true);
      const at = cut;
      connection.send(bytes.slice(0, at));
      rest.push(() => connection.send(bytes.slice(at)));
    });
    const host = await world.frontend(backend);
    const client = await world.client();
    const seen = new Set<string>();
    for (cut = 1; cut < bytes.length; cut++) {
      client.send(head('GET', '/', host));
      const send = await eventually('the request', () => rest.pop());
      await world.get('__ping__');
      send();
      // Chunks may be cut anew on their way; what they hold may not differ.
      seen.add(told(await client.response()));
    }
    expect([...seen].length).toBe(1);
    expect(backend.connections.length).toBe(1);
  });
}
