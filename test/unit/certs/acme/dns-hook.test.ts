import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { runDnsHook } from '../../../../src/certs/acme/dns-hook.js';

const folder = mkdtempSync(join(tmpdir(), 'dns-hook-'));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => vi.unstubAllEnvs());

const change = { action: 'present', domain: '*.example.com', record: '_acme-challenge.example.com', value: 'x;$(id)' } as const;
let scripts = 0;

function run(script: string, timeout = 20_000, signal = new AbortController().signal): Promise<void> {
  const program = join(folder, `hook-${++scripts}`);
  writeFileSync(program, `#!/bin/sh\n${script}\n`);
  chmodSync(program, 0o755);
  return runDnsHook(change, { program, timeout, signal });
}

describe('a hook', () => {
  it('is told by its environment, which has what we were started with, but none of our settings', async () => {
    vi.stubEnv('DNS_TOKEN', 'of the provider');
    vi.stubEnv('CJS_PROXY_HTTPS_STORE_KEYS', 'secret');
    await run(`[ $# = 0 ] && env > ${folder}/env`);
    const env = readFileSync(join(folder, 'env'), 'utf8').split('\n');
    expect(env).toEqual(
      expect.arrayContaining([
        'ACME_ACTION=present',
        'ACME_DOMAIN=*.example.com',
        'ACME_RECORD_NAME=_acme-challenge.example.com',
        'ACME_RECORD_VALUE=x;$(id)',
        'DNS_TOKEN=of the provider',
      ]),
    );
    expect(env.join('\n')).not.toContain('CJS_PROXY_');
  });

  it('that fails is told with what it said, on one line', async () => {
    await expect(run('echo "no such" >&2; echo zone >&2; exit 3')).rejects.toThrow(
      /\(present\) ended with code 3: no such zone$/,
    );
    await expect(
      runDnsHook(change, { program: join(folder, 'none'), timeout: 1_000, signal: new AbortController().signal }),
    ).rejects.toThrow(/cannot be started: ENOENT/);
  });

  it('that does not end is ended, in time or when nobody waits for it', async () => {
    await expect(run('exec sleep 600', 200)).rejects.toThrow('did not end within 200 ms');
    const controller = new AbortController();
    const running = run('exec sleep 600', 60_000, controller.signal);
    controller.abort();
    await expect(running).rejects.toThrow('nobody waits for it any more');
  });
});
