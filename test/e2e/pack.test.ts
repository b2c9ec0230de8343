// What `npm pack` makes works where it is installed: the command, its workers, the library and its types.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask } from '../helpers/ask.js';
import { eventually } from '../helpers/eventually.js';
import { freePort } from '../helpers/redis.js';
import { manifest, projectRoot, run, stageProject } from '../helpers/staged-project.js';

let project: string;
/** A project that has the package installed. */
let user: string;
let installed: string;

beforeAll(async () => {
  project = stageProject();
  user = mkdtempSync(join(tmpdir(), 'cjs-proxy-user-'));
  installed = join(user, 'node_modules', 'cjs-proxy');
  // `prepare` builds first, as it does for whoever publishes.
  await run('npm', ['pack', '--pack-destination', user], project);
  mkdirSync(installed, { recursive: true });
  await run('tar', ['-xzf', join(user, `cjs-proxy-${manifest.version}.tgz`), '--strip-components=1', '-C', installed], user);
  // What an installation would fetch is here already; packages that only development needs are left out.
  for (const name of Object.keys(manifest.dependencies)) {
    const place = join(user, 'node_modules', name);
    mkdirSync(dirname(place), { recursive: true });
    symlinkSync(join(projectRoot, 'node_modules', name), place);
  }
  writeFileSync(join(user, 'package.json'), '{"type": "module"}');
}, 120_000);

afterAll(() => {
  for (const folder of [project, user]) rmSync(folder, { recursive: true, force: true });
});

describe('the package', () => {
  it('has a command that knows its version', async () => {
    const said = await run(process.execPath, [join(installed, 'dist', 'bin', 'cjs-proxy.js'), '--version'], user);
    expect(said.trim()).toBe(manifest.version);
  });

  it('serves with workers', async () => {
    const port = await freePort();
    writeFileSync(
      join(user, 'node.json'),
      JSON.stringify({ server: { workers: 1, accessLog: 'none' }, http: { port }, driver: 'redis://127.0.0.1:1', user: 'root' }),
    );
    const node = spawn(process.execPath, [join(installed, 'dist', 'bin', 'cjs-proxy.js'), '-c', 'node.json'], {
      cwd: user,
      stdio: 'ignore',
    });
    const ended = once(node, 'exit');
    try {
      const answer = await eventually('an answer', () => ask(port, '__ping__').catch(() => null), 20_000);
      expect(answer).toEqual({ status: 200, body: 'ok' });
    } finally {
      node.kill('SIGTERM');
    }
    expect(await ended).toEqual([0, null]);
  });

  it('is a library that serves', async () => {
    const backend = createServer((_request, response) => response.end('from the backend')).listen(0, '127.0.0.1');
    await once(backend, 'listening');
    const url = `http://127.0.0.1:${(backend.address() as AddressInfo).port}`;
    writeFileSync(
      join(user, 'library.json'),
      JSON.stringify({ server: { accessLog: 'none' }, http: { port: 0 }, driver: 'memory:' }),
    );
    writeFileSync(
      join(user, 'library.js'),
      `import { createProxy, loadConfig } from 'cjs-proxy';
       const proxy = await createProxy(loadConfig({ file: 'library.json', env: {} }));
       await proxy.store.writeFrontend('127.0.0.1', 'site', ['${url}']);
       const response = await fetch(\`http://127.0.0.1:\${proxy.addresses[0].port}/\`);
       console.log(response.status, await response.text());
       await proxy.close();`,
    );
    try {
      expect(await run(process.execPath, ['library.js'], user)).toBe('200 from the backend\n');
    } finally {
      backend.close();
    }
  });

  it('has types that a strict project compiles with', async () => {
    mkdirSync(join(user, 'node_modules', '@types'), { recursive: true });
    for (const name of ['@types/node', 'undici-types']) {
      symlinkSync(join(projectRoot, 'node_modules', name), join(user, 'node_modules', name));
    }
    writeFileSync(
      join(user, 'typed.ts'),
      `import { type Config, createProxy, loadConfig, type Proxy, StartError } from 'cjs-proxy';
       const config: Config = loadConfig({ env: {} });
       const proxy: Proxy = await createProxy(config);
       const port: number | undefined = proxy.addresses[0]?.port;
       // @ts-expect-error a port is no text
       const text: string = proxy.addresses[0]!.port;
       console.log(port, text, StartError.name);`,
    );
    const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2023', '--types', 'node', '--ignoreConfig'];
    await run(process.execPath, [join(projectRoot, 'node_modules', 'typescript', 'bin', 'tsc'), ...options, 'typed.ts'], user);
  }, 60_000);
});
