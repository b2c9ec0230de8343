// Runs a page of the documentation as its reader would, in a folder of its own: its files are written, its commands run in their
// order against a real Redis, and what the page says that they print is what they print.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'vitest';
import { selfSigned } from './certs.js';
import { compiledProgram, ourCommand } from './compiled.js';
import { checkRecord } from './doc-records.js';
import { pause } from './eventually.js';
import { freePort } from './free-port.js';
import { programPath } from './programs.js';
import { startRedis, type TestRedis } from './redis.js';
import { projectRoot } from './staged-project.js';

/** A block of code: a file with its path, or commands. */
interface Block {
  readonly language: string;
  /** The path that stands in backticks at the end of the line before it; empty: there is none. */
  readonly path: string;
  readonly text: string;
}

/** A command with what the page says that it prints. */
interface Step {
  readonly command: string;
  readonly prints: readonly string[];
}

export interface StoryOptions {
  /** Ports of the page that are any free ones here, besides 8080. 6379 is that of Redis, 3001 and 3002 are those of two backends. */
  readonly ports?: readonly number[];
}

/** Languages of blocks; another one would be an example that nobody runs. */
const languages = ['sh', 'json', 'nginx', 'js'];
/** redis-cli ends well whatever Redis says. */
const redisError = /^(\(error\) |ERR |WRONGTYPE )/m;
/** A start compiles the sources, on a machine that runs other tests as well. */
const patience = 20_000;

/** Runs everything that a page shows. Rejects, or fails the test, at the first thing that is not as the page says. */
export async function runStory(page: string, options: StoryOptions = {}): Promise<void> {
  const blocks = blocksOf(readFileSync(join(projectRoot, 'docs', page), 'utf8'));
  expect(blocks.map(({ language }) => language).filter((language) => !languages.includes(language))).toEqual([]);
  expect(blocks.some(({ language }) => language === 'sh')).toBe(true);
  const world = await createWorld(options);
  try {
    for (const block of blocks) {
      if (block.language === 'sh' && block.path === '') for (const step of stepsOf(block.text)) await world.run(step);
      else world.write(block);
    }
    expect(world.complaints()).toEqual([]);
  } finally {
    await world.close();
  }
}

function blocksOf(markdown: string): Block[] {
  return [...markdown.matchAll(/(?:`([^`\n]+)`:\n\n)?^```(\w*)\n([\s\S]*?)^```$/gm)].map(
    ([, path = '', language = '', text = '']) => ({
      path,
      language,
      text,
    }),
  );
}

/** Comments below a command are what it prints; a backslash joins lines. */
function stepsOf(text: string): Step[] {
  const steps: { command: string; prints: string[] }[] = [];
  for (const line of text.replaceAll('\\\n', '').split('\n')) {
    if (line.startsWith('# ')) steps.at(-1)?.prints.push(line.slice(2));
    else if (line !== '') steps.push({ command: line, prints: [] });
  }
  return steps;
}

interface World {
  write(block: Block): void;
  run(step: Step): Promise<void>;
  /** Warnings and errors that servers wrote, but for those about older spellings. */
  complaints(): readonly string[];
  close(): Promise<void>;
}

async function createWorld({ ports = [] }: StoryOptions): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), 'cjs-proxy-story-'));
  const redis = await startRedis();
  const backends = [await startBackend('one'), await startBackend('two')] as const;
  const actual: Record<string, number> = { '6379': redis.port, '3001': backends[0].port, '3002': backends[1].port };
  for (const port of [8080, ...ports]) actual[port] = await freePort();
  const translate = createTranslation(folder, actual);
  prepareFolder(folder, redis);
  const env: NodeJS.ProcessEnv = {
    PATH: [join(folder, 'bin'), programPath].join(delimiter),
    HOME: folder,
    // One process that stays who it is: the folder is that of whoever runs the test.
    CJS_PROXY_SERVER_WORKERS: '0',
    ...(process.getuid?.() === 0 ? { CJS_PROXY_USER: 'root' } : {}),
  };
  const running: ChildProcess[] = [];
  let said = '';

  async function inBackground(command: string): Promise<void> {
    // A group of its own, so that what the shell starts ends with it.
    const child = spawn('bash', ['-c', `exec ${command}`], {
      cwd: folder,
      env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    running.push(child);
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        said += text;
      });
    }
  }

  async function inForeground(command: string): Promise<string> {
    const { stdout, stderr } = await promisify(execFile)('bash', ['-c', `set -o pipefail; ${command}`], { cwd: folder, env });
    return stdout + stderr;
  }

  return {
    write({ language, path, text }) {
      expect(path, 'every file of a page has its path in the line before it').not.toBe('');
      const place = join(folder, path);
      mkdirSync(dirname(place), { recursive: true });
      writeFileSync(place, language === 'nginx' ? withOwnFolders(translate(text), folder) : translate(text));
    },

    async run({ command, prints }) {
      const translated = translate(command);
      if (translated.endsWith(' &')) {
        await inBackground(translated.slice(0, -2).replace(/^((?:\w+=\S+ )*)/, 'env $1'));
        return;
      }
      const missing = (output: string) => prints.map(translate).filter((text) => !output.includes(text));
      // What asks a server that may just be starting asks again; what writes is done once.
      const asks = /^(curl|redis-cli -p|grep|cjs-proxy node ls) /.test(command);
      const deadline = performance.now() + (asks ? patience : 0);
      for (;;) {
        const output = await inForeground(translated).catch((error: Error & { stderr?: string }) => error);
        const done = typeof output === 'string' && !redisError.test(output) && missing(output).length === 0;
        if (done) {
          await checkRecord(redis, translated);
          return;
        }
        // A server that has ended will not answer.
        const ended = running.some(({ exitCode }) => exitCode !== null);
        if (ended || performance.now() > deadline) {
          const shown = typeof output === 'string' ? output : `${output.message}\n${output.stderr ?? ''}`;
          throw new Error(`${command}\nshould print ${JSON.stringify(prints)} and printed:\n${shown}\nServers said:\n${said}`);
        }
        await pause(50);
      }
    },

    complaints: () =>
      said.split('\n').filter((line) => /"(level|l)":"(warn|error)"|^\s+at /.test(line) && !line.includes('"msg":"WARNING! ')),

    async close() {
      for (const child of running) await endGroup(child);
      for (const { close } of backends) await close();
      await redis.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** What stands here for the texts of all pages: folders, Redis, the node and two backends. */
function createTranslation(folder: string, ports: Readonly<Record<string, number>>): (text: string) => string {
  const documented = new RegExp(`(?<!\\d)(${Object.keys(ports).join('|')})(?!\\d)`, 'g');
  return (text) =>
    text
      .replace(documented, (port) => String(ports[port]))
      // At the beginning of a path; `/run` in a URL is none.
      .replace(/(?<![\w.:/])\/(etc|var|run|srv)\//g, (_path, name: string) => `${join(folder, name)}/`);
}

/** Debian's nginx keeps what it buffers where only root may write. */
function withOwnFolders(config: string, folder: string): string {
  const kinds = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return config.replace('http {', `http { ${kinds.map((kind) => `${kind}_temp_path ${join(folder, 'run', kind)};`).join(' ')}`);
}

/** The commands by the names that they have for a reader, and folders that are there on a machine of theirs. */
function prepareFolder(folder: string, redis: TestRedis): void {
  const bin = join(folder, 'bin');
  for (const path of ['bin', 'etc/ssl', 'var/log', 'run', 'srv', 'node_modules'])
    mkdirSync(join(folder, path), { recursive: true });
  const shim = (name: string, line: string) => {
    writeFileSync(join(bin, name), `#!/bin/sh\nexec ${line} "$@"\n`);
    chmodSync(join(bin, name), 0o755);
  };
  shim('cjs-proxy', `'${process.execPath}' '${ourCommand()[1]}'`);
  shim('node', `'${process.execPath}'`);
  shim('redis-cli', `env PATH='${process.env.PATH}' redis-cli -p ${redis.port}`);
  // The package as a program that has installed it sees it.
  const installed = join(folder, 'node_modules', 'cjs-proxy');
  mkdirSync(installed);
  const index = pathToFileURL(compiledProgram('src/index')).href;
  writeFileSync(join(installed, 'index.js'), `export * from '${index}';\n`);
  writeFileSync(join(installed, 'package.json'), '{"name": "cjs-proxy", "type": "module", "exports": "./index.js"}');
  writeFileSync(join(folder, 'package.json'), '{"type": "module"}');
  const { key, cert } = selfSigned('www.example.com');
  writeFileSync(join(folder, 'etc/ssl/site.key'), key);
  writeFileSync(join(folder, 'etc/ssl/site.pem'), cert);
}

/** Says its name and what it was asked. */
async function startBackend(name: string): Promise<{ port: number; close(): Promise<void> }> {
  const server = http.createServer((request, response) => {
    const { host, 'x-forwarded-for': client } = request.headers;
    response.end(`${name} got ${request.method} ${request.url} for ${host} from ${client}\n`);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function endGroup(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  process.kill(-child.pid, 'SIGKILL');
  await exited;
}
