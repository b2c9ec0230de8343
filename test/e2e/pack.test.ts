// What `npm pack` makes works where it is installed: the command, its workers, the library and its types.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask } from '../helpers/ask.js';
import { eventually } from '../helpers/eventually.js';
import { freePort } from '../helpers/free-port.js';
import { manifest, projectRoot, run, stageProject } from '../helpers/staged-project.js';

/** What `package-lock.json` says of a package. */
interface Lockfile {
  readonly packages: Readonly<Record<string, { readonly version: string; readonly dev?: true; readonly devOptional?: true }>>;
}

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
}, 240_000);

afterAll(() => {
  for (const folder of [project, user]) rmSync(folder, { recursive: true, force: true });
});

describe('the package', () => {
  it('has a command that knows its version', async () => {
    const said = await run(process.execPath, [join(installed, 'dist', 'bin', 'cjs-proxy.js'), '--version'], user);
    expect(said.trim()).toBe(manifest.version);
  });

  it('tells what it is made of, and how it is secured', () => {
    const bom = JSON.parse(readFileSync(join(installed, 'sbom.cdx.json'), 'utf8'));
    expect(bom.bomFormat).toBe('CycloneDX');
    expect(bom.metadata.component).toMatchObject({ name: 'cjs-proxy', version: manifest.version });
    const { packages } = JSON.parse(readFileSync(join(projectRoot, 'package-lock.json'), 'utf8')) as Lockfile;
    const run = Object.entries(packages).filter(([place, { dev, devOptional }]) => place !== '' && !dev && !devOptional);
    const versions = (bom.components as { version: string }[]).map(({ version }) => version);
    expect(versions.sort()).toEqual(run.map(([, { version }]) => version).sort());
    for (const { hashes } of bom.components) expect(hashes[0].alg).toBe('SHA-512');
    expect(readFileSync(join(installed, 'SECURITY.md'), 'utf8')).toContain('who can write to Redis');
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

  it('has types that a strict project and the examples compile with, and the examples run', async () => {
    mkdirSync(join(user, 'node_modules', '@types'), { recursive: true });
    for (const name of ['@types/node', 'undici-types']) {
      symlinkSync(join(projectRoot, 'node_modules', name), join(user, 'node_modules', name));
    }
    const examples = ['proxy-manager', 'dynamic-reverse-proxy'];
    const page = readFileSync(join(projectRoot, 'docs', 'library.md'), 'utf8');
    const pieces = [...page.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code]) => code as string);
    for (const name of examples) {
      const example = readFileSync(join(projectRoot, 'examples', `${name}.ts`), 'utf8');
      expect(pieces).toContain(example);
      writeFileSync(join(user, `${name}.ts`), example);
    }
    pieces.forEach((code, at) => {
      writeFileSync(join(user, `piece-${at}.ts`), code);
    });
    writeFileSync(
      join(user, 'typed.ts'),
      `import { type Config, createProxy, loadConfig, ProxyManager, type Proxy, type RouteConfig, StartError } from 'cjs-proxy';
       const config: Config = loadConfig({ env: {} });
       const proxy: Proxy = await createProxy(config);
       const port: number | undefined = proxy.addresses[0]?.port;
       // @ts-expect-error a port is no text
       const text: string = proxy.addresses[0]!.port;
       const manager = new ProxyManager({ port: 0 });
       const route: RouteConfig = { vHost: 'a.test', strategy: 'RANDOM', backends: [{ hostname: '10.0.0.1' }], sticky: true };
       // @ts-expect-error no such strategy
       const wrong: RouteConfig = { ...route, strategy: 'FASTEST' };
       // @ts-expect-error no such field
       const misspelt: RouteConfig = { ...route, stickie: true };
       manager.on('backend.dead', ({ backend, since }) => console.log(backend.url, since.toFixed()));
       // @ts-expect-error no such event
       manager.on('backend.died', () => {});
       console.log(port, text, StartError.name, wrong, misspelt, manager.getStats().latencyMs.p99);`,
    );
    const options = [
      '--outDir',
      'compiled',
      '--strict',
      '--module',
      'nodenext',
      '--target',
      'es2023',
      '--types',
      'node',
      '--ignoreConfig',
    ];
    const sources = ['typed.ts', ...examples.map((name) => `${name}.ts`), ...pieces.map((_code, at) => `piece-${at}.ts`)];
    await run(process.execPath, [join(projectRoot, 'node_modules', 'typescript', 'bin', 'tsc'), ...options, ...sources], user);

    const backend = createServer((request, response) => response.end(`backend: ${request.url}`)).listen(0, '127.0.0.1');
    await once(backend, 'listening');
    const backendPort = (backend.address() as AddressInfo).port;
    const [port, sslPort, frontPort] = [await freePort(), await freePort(), await freePort()];
    const manager = startExample('proxy-manager', { '80': port, '443': sslPort, '3001': backendPort, '3002': backendPort });
    const front = startExample('dynamic-reverse-proxy', { '3000': frontPort });
    try {
      const served = await eventually('the manager', () => ask(port, 'api.example.com', '/x').catch(() => null), 10_000);
      expect(served).toEqual({ status: 200, body: 'backend: /x' });
      const route = { method: 'POST', body: JSON.stringify({ prefix: '/test', port: backendPort }) };
      const url = `http://127.0.0.1:${frontPort}`;
      const registered = await eventually('the front', () => fetch(`${url}/register`, route).catch(() => null), 10_000);
      expect(await registered.json()).toEqual({ message: 'Registered.', host: 'localhost', port: backendPort, prefix: '/test' });
      expect(await ask(frontPort, 'any.test', '/test/y')).toEqual({ status: 200, body: 'backend: /test/y' });
      const ended = once(manager, 'exit');
      manager.kill('SIGTERM');
      // Stopped, it leaves nothing behind that would keep the program alive.
      expect(await ended).toEqual([0, null]);
    } finally {
      for (const example of [manager, front]) example.kill('SIGKILL');
      backend.close();
    }
  }, 60_000);

  it('is what `require` gives users of dynamic-reverse-proxy: a function', async () => {
    writeFileSync(
      join(user, 'old.cjs'),
      `const dynamicProxy = require('cjs-proxy/dynamic-reverse-proxy')();
       dynamicProxy.addRoutes({ '/test': { prefix: 'test', port: 4321 } });
       console.log(JSON.stringify(dynamicProxy.getRoutes()));`,
    );
    expect(await run(process.execPath, ['old.cjs'], user)).toBe('[{"prefix":"/test","port":4321,"host":"localhost"}]\n');
  });
});

/** Runs a compiled example, with other ports than those that it names. */
function startExample(name: string, ports: Readonly<Record<string, number>>): ChildProcess {
  const file = join(user, 'compiled', `${name}.js`);
  writeFileSync(
    file,
    readFileSync(file, 'utf8').replace(/\b\d{2,4}\b/g, (written) => String(ports[written] ?? written)),
  );
  return spawn(process.execPath, [file], { cwd: user, stdio: 'ignore' });
}
