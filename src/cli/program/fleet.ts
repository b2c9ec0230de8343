// The commands that ask how the fleet is: nodes, statistics, where a request goes.
import type { Command } from 'commander';
import { asksFleet, collect } from '../asks-fleet.js';
import type { Cli } from '../cli.js';
import type { ExplainOptions } from '../commands/explain.js';

export function addFleetCommands(program: Command, cli: Cli): void {
  asksFleet<ExplainOptions>(
    program
      .command('explain <url>')
      .description('say which frontend serves a URL and why, how its backends stand and what its policy asks for')
      .option('--from <address>', 'address of the client')
      .option('--header <line>', "a header of the request, as 'Name: value'; may be given again", collect),
    cli,
    async (session, words, options) => (await import('../commands/explain.js')).explain(session, words, options),
  );
}
