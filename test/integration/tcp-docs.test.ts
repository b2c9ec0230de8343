import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.js';
import { streamSettingFields } from '../../src/config/schema-streams.js';
import { streamEnds } from '../../src/observe/stream-counters.js';
import { eventually } from '../helpers/eventually.js';
import { startRedis } from '../helpers/redis.js';
import { served, startStreams, startTarget } from '../helpers/streams.js';

const page = readFileSync('docs/tcp.md', 'utf8');

/** The blocks of a language, in order. */
function blocks(language: string): string[] {
  return [...page.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)]
    .filter(([, written]) => written === language)
    .map(([, , text]) => text ?? '');
}

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

describe('docs/tcp.md', () => {
  it('shows configurations that load', () => {
    const [first, second] = blocks('json').map((text) =>
      loadConfig({ env: {}, cwd: tmpdir(), root: false, settings: JSON.parse(text) as Record<string, unknown> }),
    );
    expect(first?.streams.map(({ name }) => name)).toEqual(['db', 'cache']);
    expect(first?.streams[0]?.settings).toMatchObject({ maxConnections: 200, inactivityTimeout: 600_000 });
    expect(second?.streams[0]).toMatchObject({ proxyProtocol: true, settings: { sendProxyProtocol: 'v2' } });
    expect(blocks('json')).toHaveLength(2);
  });

  it('shows commands that do what it says', async () => {
    const redis = await startRedis();
    open.push({ close: () => redis.stop() });
    const old = await startTarget();
    open.push(old);
    const started = await startStreams({ settings: { driver: redis.url }, streams: [{ name: 'db', targets: [old.url] }] });
    open.push(started);
    const running = await served(started.port());
    const listed = await Promise.all([startTarget(), startTarget()]);
    open.push(...listed);
    const commands = blocks('sh').flatMap((text) => text.trim().split('\n'));
    expect(commands).toHaveLength(4);
    for (const command of commands) {
      expect(command).toMatch(/^redis-cli /);
      const here = command
        .replace('redis-cli', `redis-cli -p ${redis.port}`)
        .replace('127.0.0.1:5433', `127.0.0.1:${listed[0].port}`)
        .replace('127.0.0.1:5434', `127.0.0.1:${listed[1].port}`);
      execFileSync('sh', ['-c', here]);
    }
    await eventually('the listed targets', async () => {
      (await served(started.port())).close();
      return listed.every(({ accepted }) => accepted > 0);
    });
    running.send('on');
    expect((await running.queue.take(2)).toString()).toBe('on');
    expect(started.lines.filter(({ level }) => level === 'warn')).toEqual([]);
  });

  it('names every setting, and every word that a line may end with', () => {
    for (const key of Object.keys(streamSettingFields)) expect(page).toContain(`\`${key}\``);
    for (const end of streamEnds) expect(page).toContain(`\`${end}\``);
  });
});
