import { it } from 'vitest';
import { Proxies, World, head, withBody } from '/work/main/test/contract/engine/world.ts';
import { ok, response } from '/work/main/test/helpers/backend.ts';
import { inChunks } from '/work/main/test/helpers/http-reader.ts';
it.each(Array.from({length: 25}, (_, i) => i + 1))('x %i', async (s) => {
  const proxies = new Proxies(process.env.ENG as 'wire');
  const world = new World(await proxies.with(), process.env.ENG as 'wire');
  const chunkedHead = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
  const state = new Map<string,string>();
  const backend = await world.backend(async (request, connection) => {
          const [, kind = '', id = ''] = request.target.split('/');
          state.set(id, 'head');
          const { bytes } = await request.whole();
          state.set(id, 'body');
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
  const kinds = process.env.KINDS.split(',');
  const host = await world.frontend(backend);
  let seed = s;
  const next = (below: number): number => { seed = (seed * 48271) % 2147483647; return seed % below; };
  const turns = Array.from({ length: 12 }, (_, client) => Array.from({ length: 25 }, (_, turn) => ({ id: `c${client}t${turn}`, kind: kinds[next(kinds.length)] ?? 'ok', size: next(3) * next(40_000) })));
  await Promise.all(turns.map(async (mine) => {
    const client = await world.client();
    let last = '';
    for (const { id, kind, size } of mine) {
      client.send(withBody('POST', `/${kind}/${id}`, host, 'x'.repeat(size)));
      try { const a = await client.response(); last = `${kind} ${a.status} ${a.fields.get('x-cjs-proxy-error')} ${size}`; } catch (e) { console.log(id, kind, size, 'after', last, state.get(id), String(e).slice(0, 200)); return; }
    }
  }));
  await world.close(); await proxies.close();
}, 30000);
