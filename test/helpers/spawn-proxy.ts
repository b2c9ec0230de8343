// Starts a proxy in a process of its own, compiled beforehand, so that its memory is that of the product and of nothing else.
import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import ts from 'typescript';
import type { ServerConfig } from '../../src/config/config.js';
import { projectRoot } from './staged-project.js';

/** A proxy that runs elsewhere. */
export interface SpawnedProxy {
  readonly port: number;
  /** Resident bytes now. */
  resident(): number;
  close(): Promise<void>;
}

/** What it is started with. */
export interface SpawnOptions {
  readonly server?: Partial<ServerConfig>;
  /** Backends by host. */
  readonly frontends: Readonly<Record<string, readonly string[]>>;
}

const program = 'test/helpers/proxy-process';

/** Starts a proxy; the caller closes it. */
export async function spawnProxy({ server = {}, frontends }: SpawnOptions): Promise<SpawnedProxy> {
  const folder = compile();
  const child = spawn(process.execPath, [join(folder, `${program}.js`), JSON.stringify({ server, frontends })], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const port = await new Promise<number>((resolve, reject) => {
    child.stdout.once('data', (line: Buffer) => resolve(Number(line.toString())));
    child.once('exit', (code) => reject(new Error(`the proxy process ended with ${code}`)));
  });
  return {
    port,
    resident() {
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
      return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
    },
    async close() {
      child.kill('SIGKILL');
      await ended;
      rmSync(folder, { recursive: true });
    },
  };
}

/** Turns the sources into JavaScript, file by file and without a look at types. @returns the folder */
function compile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'cjs-proxy-compiled-'));
  const sources = readdirSync(join(projectRoot, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => join('src', path));
  const compilerOptions: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.ESNext,
    verbatimModuleSyntax: true,
  };
  for (const path of [...sources, `${program}.ts`, 'test/helpers/start-proxy.ts']) {
    const { outputText } = ts.transpileModule(readFileSync(join(projectRoot, path), 'utf8'), { compilerOptions });
    const output = join(folder, path.replace(/\.ts$/, '.js'));
    mkdirSync(dirname(output), { recursive: true });
    writeFileSync(output, outputText);
  }
  for (const part of ['package.json', 'config']) cpSync(join(projectRoot, part), join(folder, part), { recursive: true });
  symlinkSync(join(projectRoot, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}
