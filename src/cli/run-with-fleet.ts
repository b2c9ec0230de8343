// Runs a command that asks the fleet, and says in a line or two why it was not done.
import type { Fault } from '../management/problem.js';
import type { Cli } from './cli.js';
import { exitCodes } from './command-error.js';
import { Refusal } from './fleet/fleet.js';
import { openFleet, type PlaceOptions } from './fleet/open-fleet.js';
import { printable } from './output/printable.js';
import { Session } from './session.js';

interface Options extends PlaceOptions {
  readonly json?: boolean;
  readonly wait?: boolean;
  readonly timeout?: string;
}

/** @returns the exit code */
export async function runWithFleet(cli: Cli, options: Options, work: (session: Session) => Promise<number>): Promise<number> {
  if (!process.stdout.listeners('error').includes(endAtEnough)) process.stdout.on('error', endAtEnough);
  const configured = cli.options.config !== undefined;
  const fleet = await openFleet({ options, env: cli.env, configured, load: () => cli.load() });
  const { json = false, wait = false, timeout } = options;
  try {
    return await work(new Session(fleet, { json, wait, ...(timeout === undefined ? {} : { timeout }) }));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    process.stderr.write(`${refusalLines(error).map(printable).join('\n')}\n`);
    return exitCodes.failed;
  } finally {
    await fleet.close();
  }
}

function refusalLines({ message, faults }: Refusal): string[] {
  if (faults.length === 0) return [`cjs-proxy: ${message}`];
  return faults.map(
    ({ pointer, detail }: Fault) => `cjs-proxy: ${[placeIn(pointer), detail].filter((part) => part !== '').join(' ')}`,
  );
}

/** `/backends/0/port` for people. */
function placeIn(pointer: string): string {
  return pointer.replace(/^\//, '').replaceAll('/', '.').replaceAll('~1', '/').replaceAll('~0', '~');
}

/** Who reads the output may have seen enough: `| head`. */
function endAtEnough(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
}
