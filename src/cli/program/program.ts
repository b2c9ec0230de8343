// Every command with its options, in the order of the help. What a command does is loaded when it is called.
import { Command, Option } from 'commander';
import { packageVersion } from '../../base/package-version.js';
import { loadConfig } from '../../config/load.js';
import { type Cli, type GlobalOptions, refuseUnknown } from '../cli.js';
import { addDocumentCommands } from './documents.js';
import { addFleetCommands } from './fleet.js';
import { addProcessCommands } from './processes.js';
import { addRecordCommands } from './records.js';

/** The program, and what its commands leave behind. */
export function createProgram(env: Cli['env']): { readonly program: Command; readonly cli: Cli } {
  const program = new Command('cjs-proxy')
    .description('A reverse proxy cluster that is driven by Redis.')
    .version(packageVersion, '--version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand(false)
    .option('-c, --config <file>', 'configuration file; else config/config.json, or config/config_$SETTINGS_FLAVOR.json')
    .option('-d, --dry', 'check the configuration, print it as it is in force, and exit')
    .option('-w, --workers <number>', 'processes that serve; 0: a single one')
    .option('-u, --uid <user>', 'whom a process started as root becomes')
    .option('-g, --gid <group>', 'the group that it takes')
    .option('-v, --verbose', 'write all diagnostics')
    .addOption(new Option('-q, --quiet', 'write nothing but errors').conflicts('verbose'))
    .configureHelp({ showGlobalOptions: true })
    .exitOverride();
  const cli: Cli = {
    env,
    exitCode: 0,
    get options() {
      return program.opts<GlobalOptions>();
    },
    load: () => loadConfig({ file: cli.options.config, env, flags: cli.options }),
  };
  addProcessCommands(program, cli);
  addRecordCommands(program, cli);
  addFleetCommands(program, cli);
  addDocumentCommands(program, cli);
  // A word that is no command of the group.
  for (const group of program.commands) if (group.commands.length > 0) refuseStrangers(group);
  return { program, cli };
}

function refuseStrangers(group: Command): void {
  group.allowExcessArguments().action(() => {
    refuseUnknown(group);
    group.help({ error: true });
  });
}
