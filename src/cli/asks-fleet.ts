// The way from words to a command that asks the fleet, with the options that all of those have.
import { type Command, InvalidArgumentError } from 'commander';
import type { Cli } from './cli.js';
import type { PlaceOptions } from './fleet/open-fleet.js';
import type { Session } from './session.js';

/** Options of a command that asks the fleet. */
interface FleetOptions extends PlaceOptions {
  readonly json?: boolean;
  readonly wait?: boolean;
  readonly timeout?: string;
}

/**
 * Does the work.
 * @param words behind the command
 * @returns the exit code
 */
export type FleetHandler<O> = (session: Session, words: readonly string[], options: O) => Promise<number>;

/**
 * Makes a command one that asks the fleet, by its API or its store, with the options that all of those have.
 * @param writes whether it changes something, which nodes then have to take over
 */
export function asksFleet<O extends object>(command: Command, cli: Cli, handler: FleetHandler<O>, writes = false): Command {
  command
    .option('--api <url>', 'where the management API is; else CJS_PROXY_API, else what the configuration says')
    .option('--token <text>', 'token for it; else CJS_PROXY_TOKEN (a command line is seen by everybody on the machine)')
    .option('--token-file <file>', 'a file with the token')
    .option('--ca <file>', 'authority that signed the certificate of the API')
    .option('--client-cert <file>', 'certificate to show to the API')
    .option('--client-key <file>', 'private key of it')
    .option('--driver <url>', 'ask the store itself: redis://127.0.0.1:6379')
    .option('--json', 'print JSON');
  if (writes) {
    command
      .option('--wait', 'return when every node has it in force')
      .option('--timeout <seconds>', 'how long to wait for that (10)', positive);
  }
  return command.action(async () => {
    const options = command.opts<O & FleetOptions>();
    const { runWithFleet } = await import('./run-with-fleet.js');
    cli.exitCode = await runWithFleet(cli, options, (session) => handler(session, command.args, options));
  });
}

/** A number above 0, as text. */
export function positive(text: string): string {
  if (!(Number(text) > 0)) throw new InvalidArgumentError('It must be a number above 0.');
  return text;
}

/** For an option that may be given again. */
export function collect(text: string, all: readonly string[] | undefined): readonly string[] {
  return [...(all ?? []), text];
}
