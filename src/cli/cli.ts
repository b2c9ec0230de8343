// The command line that commands stand on.
import type { Command } from 'commander';
import type { Config } from '../config/config.js';
import type { Flags } from '../config/flags.js';
import { nearestName } from '../config/nearest.js';

/** Options that every command takes. */
export interface GlobalOptions extends Flags {
  readonly config?: string;
  readonly dry?: boolean;
}

export interface Cli {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly options: GlobalOptions;
  /** Loads the configuration. */
  load(): Config;
  /** What the process ends with. */
  exitCode: number;
}

/** A word that no command of a program or a group is called, with the one that may be meant. */
export function refuseUnknown(command: Command, group: Command = command): void {
  const word = command.args[0];
  if (word === undefined) return;
  const nearest = nearestName(
    word,
    group.commands.map((one) => one.name()),
  );
  const place = group.parent === null ? '' : `${group.name()} `;
  command.error(
    `error: unknown command "${place}${word}"; ${nearest === undefined ? 'see --help' : `did you mean "${place}${nearest}"?`}`,
  );
}
