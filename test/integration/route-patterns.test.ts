// Host patterns in Redis, through a running proxy: Proxima's routes by the numbers of its contract, changed by anyone at any time.
import { beforeEach, describe, expect, it } from 'vitest';
import { ok } from '../helpers/backend.js';
import { eventually } from '../helpers/eventually.js';
import { type Site, useHipache } from '../helpers/hipache.js';

const hipache = useHipache();
let site: Site;

beforeEach(async () => {
  site = await hipache.site({ trustedProxies: ['127.0.0.1'] });
  await site.cli('flushall');
});

/** Appends an entry whose backend answers with a text of its own. */
async function pattern(entry: object, text: string): Promise<void> {
  const backend = await hipache.backend(ok(text));
  await site.redis.cli('rpush', 'patterns', JSON.stringify({ ...entry, to: backend.url }));
}

/** Waits for a change to be in force. (`site.told` would ask for a host that a catch-all takes.) */
async function becomes(host: string, text: string): Promise<void> {
  await eventually(`${host} to be served by ${text}`, async () => (await served(host)) === text);
}

async function frontend(name: string): Promise<void> {
  const backend = await hipache.backend(ok(name));
  await site.cli('rpush', `frontend:${name}`, name, backend.url);
}

/** What answers, or the status. */
async function served(host: string, ...lines: readonly string[]): Promise<string> {
  const answer = await site.get(host, '/', ...lines);
  return answer.status === 200 ? answer.text : String(answer.status);
}

describe('the record `patterns`', () => {
  it('A5, A13: goes before frontends, the entry that was pushed last before those of earlier', async () => {
    await frontend('a.com');
    await frontend('b.com');
    expect(await served('a.com')).toBe('a.com');
    await pattern({ hostname: '*' }, 'all');
    await becomes('a.com', 'all');
    await pattern({ hostname: 'a.*' }, 'a');
    await becomes('a.com', 'a');
    expect(await served('b.com')).toBe('all');
    await site.redis.cli('lpop', 'patterns');
    await becomes('b.com', 'b.com');
    expect(await served('a.com')).toBe('a');
    await site.redis.cli('del', 'patterns');
    await becomes('a.com', 'a.com');
  });

  it('A6-A10: has globs and expressions, anchored and without case', async () => {
    await pattern({ hostname: ['q.?.com', 'h.*'] }, 'glob');
    await pattern({ hostname: '/^re\\d+\\.x$/i' }, 'expression');
    await becomes('re1.x', 'expression');
    const hosts = [
      'q.z.com',
      'q..com',
      'Q.Z.COM.:81',
      'h.a.b',
      're12.x',
      'RE1.X',
      'q.z.y.com',
      'xq.z.com',
      'q.z.com.evil',
      're.x',
    ];
    const answers: string[] = [];
    for (const host of hosts) answers.push(await served(host));
    // An empty label is no host to this proxy, whatever a pattern says.
    expect(answers).toEqual(['glob', '400', 'glob', 'glob', 'expression', 'expression', '400', '400', '400', '400']);
  });

  it('A4: hangs on TLS where an entry asks, by what a trusted proxy says', async () => {
    await frontend('a.com');
    await pattern({ hostname: 'a.com', secure: true }, 'secure');
    await site.told();
    expect([await served('a.com'), await served('a.com', 'X-Forwarded-Proto: https')]).toEqual(['a.com', 'secure']);
    expect([await served('a.com'), await served('a.com', 'X-Forwarded-Proto: https')]).toEqual(['a.com', 'secure']);
  });

  it('A12: a catch-all is meant for requests without a host, too', async () => {
    const request = 'GET / HTTP/1.0\r\n\r\n';
    expect((await site.exchange(request)).status).toBe(400);
    await pattern({ hostname: '*' }, 'all');
    await becomes('a.com', 'all');
    expect((await site.exchange(request)).text).toBe('all');
  });

  it('may name a frontend, whose prefixes then count', async () => {
    await frontend('shop');
    await frontend('shop/cart');
    await site.cli('rpush', 'patterns', JSON.stringify({ hostname: '*.shop.com', to: 'frontend:shop' }));
    expect((await site.get('x.shop.com', '/any')).text).toBe('shop');
    expect((await site.get('x.shop.com', '/cart/1')).text).toBe('shop/cart');
  });

  it('of the wrong type, or with faulty entries, is reported and harms nobody', async () => {
    await frontend('a.com');
    await site.cli('set', 'patterns', 'text');
    expect(await served('a.com')).toBe('a.com');
    await site.cli('del', 'patterns');
    await site.cli('rpush', 'patterns', '{"hostname":"/^(a+)+$/","to":1}', 'junk');
    await pattern({ hostname: 'b.com' }, 'b');
    await becomes('b.com', 'b');
    expect([await served('a.com'), await served('b.com'), await served('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!')]).toEqual(
      ['a.com', 'b', '400'],
    );
    const logged = () => site.logged.map((line) => JSON.stringify(line)).join('\n');
    await eventually('the report', () => logged().includes('patterns: entry 1 is not JSON'));
    expect(logged()).toContain('patterns has the wrong type');
    expect(logged()).toContain('exponential time');
  });
});
