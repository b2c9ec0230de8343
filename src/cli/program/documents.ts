// The commands that work on everything at once: what is wrong, what would change, what there is.
import type { Command } from 'commander';
import { asksFleet } from '../asks-fleet.js';
import type { Cli } from '../cli.js';

export function addDocumentCommands(program: Command, cli: Cli): void {
  asksFleet(
    program.command('lint').description('look at every record and say what is wrong and how to mend it'),
    cli,
    async (session) => (await import('../commands/lint.js')).lint(session),
  );
}
