// The commands that work on everything at once: what is wrong, what would change, what there is.
import type { Command } from 'commander';
import { asksFleet } from '../asks-fleet.js';
import type { Cli } from '../cli.js';
import type { ExportOptions } from '../commands/export.js';
import type { ImportCommandOptions } from '../commands/import.js';
import type { ApplyOptions, PlanOptions } from '../commands/plan.js';

export function addDocumentCommands(program: Command, cli: Cli): void {
  const load = () => import('../commands/plan.js');
  asksFleet<PlanOptions>(
    program
      .command('plan <file>')
      .description('show what `apply` would change; ends with 3 where there is anything')
      .option('--prune', 'also remove what the sections of the document lack'),
    cli,
    async (session, words, options) => (await load()).plan(session, words, options),
  );
  asksFleet<ApplyOptions>(
    program
      .command('apply <file>')
      .description('show what a document in YAML or JSON changes, and change it; -: stdin')
      .option('--prune', 'also remove what the sections of the document lack')
      .option('-y, --yes', 'do not ask on a terminal'),
    cli,
    async (session, words, options) => (await load()).apply(session, words, options),
    true,
  );
  asksFleet<ExportOptions>(
    program
      .command('export')
      .description('print everything as one document for `apply`, without private keys')
      .option('--format <name>', 'yaml or json (yaml)')
      .option('-o, --output <file>', 'write it there; only its owner can read it'),
    cli,
    async (session, _words, options) => (await import('../commands/export.js')).exportAll(session, options),
  );
  asksFleet<ImportCommandOptions>(
    program
      .command('import <source>')
      .description(
        'take over what another proxy has: redis://… of Hipache or PlanB, proxima.json, a list of hosts or servers of nginx',
      )
      .option('--from <kind>', 'hipache, proxima or nginx; else told from the source')
      .option('--print', 'only print the document that would be applied')
      .option('-y, --yes', 'do not ask on a terminal'),
    cli,
    async (session, words, options) => (await import('../commands/import.js')).importFrom(session, words, options),
    true,
  );
  asksFleet(
    program
      .command('lint')
      .description('look at every record and say what is wrong and how to mend it; ends with 3 where anything is'),
    cli,
    async (session) => (await import('../commands/lint.js')).lint(session),
  );
}
