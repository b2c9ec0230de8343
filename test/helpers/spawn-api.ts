// A management process as a user starts it: `cjs-proxy api` in a process of its own.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { ourCommand } from './compiled.js';
import { writeConfigFile } from './config-file.js';
import { eventually } from './eventually.js';
import { freePort } from './free-port.js';

export interface SpawnedApi {
  /** Of `/api/v1`. */
  readonly url: string;
  readonly pid: number;
  /** Lets it end, and gives its exit code. */
  stop(): Promise<number | null>;
  /** Ends it at once, whatever it is doing. */
  kill(): Promise<void>;
}

/** Resolves when it serves. */
export async function spawnApi(driver: string): Promise<SpawnedApi> {
  const port = await freePort();
  const [program, file] = ourCommand();
  const child = spawn(program, [file, 'api', '-c', writeConfigFile({ driver, api: { port } })], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    if (child.exitCode === null && child.signalCode === null) {
      const exited = once(child, 'exit');
      child.kill(signal);
      await exited;
    }
    return child.exitCode;
  };
  await eventually(
    'the API to serve',
    () => said.includes('Serving the management API') || (child.exitCode !== null && Promise.reject(new Error(said))),
    20_000,
  );
  return {
    url: `http://127.0.0.1:${port}/api/v1`,
    pid: child.pid ?? 0,
    stop: () => end('SIGTERM'),
    kill: async () => void (await end('SIGKILL')),
  };
}
