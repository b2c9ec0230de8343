// What is wrong with a stream is told in one clear line, at the start and while it runs, and harms no other stream.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { ourCommand } from '../helpers/compiled.js';
import { writeConfigFile } from '../helpers/config-file.js';
import { eventually } from '../helpers/eventually.js';
import { connectClient } from '../helpers/raw-client.js';
import { type StartedStreams, served, startStreams, startTarget, turnedAway } from '../helpers/streams.js';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

/** Exit code and what stands on stderr. */
async function command(words: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<{ code: number; stderr: string }> {
  const child = spawn(process.execPath, [ourCommand()[1], ...words], {
    env: { PATH: process.env.PATH ?? '', ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const [code] = (await once(child, 'close')) as [number];
  return { code, stderr };
}

const warnings = ({ lines }: StartedStreams) => lines.filter(({ level }) => level === 'warn').map(({ msg }) => msg);

describe('a stream of the configuration', () => {
  it.each([
    ['an unknown mode', { mode: 'fast' }, 'streams[0].mode is "fast"; allowed is "proxy", "fifo", "funnel", "l4", "auto"'],
    [
      'an unknown framing',
      { framing: 'newline' },
      'streams[0].framing is "newline"; allowed is "chunk", "line", "resp", {"type": "length-prefix", ',
    ],
    [
      'a wrong number in a framing',
      { framing: { type: 'length-prefix', size: 5 } },
      'streams[0].framing is an object; allowed is size as 1, 2, 3, 4, 6 or 8',
    ],
    [
      'a target of another kind',
      { targets: ['udp://10.0.0.1:53'] },
      'streams[0].targets: target 0 has the scheme udp; write tcp://host:port, ',
    ],
  ])('with %s is refused in one line and exit code 1', async (_what, wrong, line) => {
    const file = writeConfigFile({
      http: { bind: [] },
      driver: 'memory:',
      streams: [{ name: 'db', port: 0, targets: ['a:1'], ...wrong }],
    });
    const { code, stderr } = await command(['check', '-c', file]);
    expect(code).toBe(1);
    expect(stderr.trimEnd().split('\n')).toEqual([expect.stringContaining(`${file}: ${line}`)]);
  });
});

describe('cjs-proxy tcp', () => {
  const complete = {
    LOG_LEVEL: '0',
    LOCAL_HOST: '127.0.0.1',
    LOCAL_PORT: '0',
    PROXY_CONNECTIONS_CNT: '1',
    TARGET_HOST_1: 'no-such-host.invalid',
    TARGET_PORT_1: '9',
  };

  it('refuses a wrong framing, and a target that does not resolve while it warms up, in one line each', async () => {
    const [framing, target] = await Promise.all([
      command(['tcp'], { ...complete, EXCHANGE_FRAMING: 'newline' }),
      command(['tcp', '--warmup'], complete),
    ]);
    expect([framing.code, target.code]).toEqual([1, 1]);
    expect(framing.stderr).toMatch(/^cjs-proxy: framing must be "chunk", "line", [^\n]*\n$/);
    expect(target.stderr).toMatch(
      /^cjs-proxy: cannot connect to all target servers: [^\n]*tcp:\/\/no-such-host\.invalid:9: getaddrinfo (ENOTFOUND|EAI_AGAIN) [^\n]*\n$/,
    );
  });
});

describe('a running stream', () => {
  it.each(['fifo', 'funnel'])('in %s mode closes clients whose target does not resolve, and says once why', async (mode) => {
    const targets = ['tcp://no-such-host.invalid:5432'];
    const started = await startStreams({ streams: [{ name: 'lost', mode, framing: 'line', targets, retries: 0 }] });
    open.push(started);
    for (let turn = 0; turn < 3; turn++) {
      const client = await connectClient(started.port());
      client.send('anybody there?\n');
      await client.ended();
    }
    expect(warnings(started).filter((line) => line.includes('clients that wait are closed'))).toEqual([
      expect.stringMatching(
        /^stream lost: no target can be connected to; .*no-such-host\.invalid:5432: getaddrinfo (ENOTFOUND|EAI_AGAIN)/,
      ),
    ]);
  });

  it('goes on as before when its hash has an unknown mode and a wrong framing, and says one line for each', async () => {
    const echo = await startTarget();
    open.push(echo);
    const started = await startStreams({ streams: [{ name: 'db', targets: [echo.url] }] });
    open.push(started);
    await started.proxy.store.writeRecord('stream', 'db', ['mode', 'fast', 'framing', 'newline']);
    await eventually('both lines', () => warnings(started).length === 2);
    expect(warnings(started)).toEqual([
      'stream:db: mode is "fast"; allowed: "proxy", "fifo", "funnel", "l4", "auto"',
      expect.stringMatching(/^stream:db: framing is "newline"; allowed: "chunk", "line", "resp", /),
    ]);
    (await served(started.port())).close();
    await started.proxy.store.writeRecord('targets', 'db', ['udp://10.0.0.1:53']);
    await eventually('the line about the target', () => warnings(started).some((line) => line.includes('the scheme udp')));
    expect(await turnedAway(started.port())).toBe(0);
  });
});
