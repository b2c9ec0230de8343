// From the words of the command line to a command and an exit code: 0 done, 1 configuration or start failed, 2 wrong usage.
import { Command, CommanderError, Option } from 'commander';
import { packageVersion } from '../base/package-version.js';
import { ConfigError } from '../config/config-error.js';
import type { Flags } from '../config/flags.js';
import { loadConfig } from '../config/load.js';
import { nearestName } from '../config/nearest.js';
import { StartError } from '../errors/start-error.js';
import { api } from './commands/api.js';
import { check } from './commands/check.js';
import { encryptKeyOf } from './commands/encrypt-key.js';
import { type ExplainOptions, explain } from './commands/explain.js';
import { hashPasswordOf } from './commands/hash-password.js';
import { serve } from './commands/serve.js';
import { tcp } from './commands/tcp.js';

interface Options extends Flags {
  readonly config?: string;
  readonly dry?: boolean;
}

/**
 * Runs one command.
 * @param words the command line without program and script
 * @param env environment variables
 * @returns the exit code, for `serve` when the proxy has stopped
 */
export async function main(words: readonly string[], env: Readonly<Record<string, string | undefined>>): Promise<number> {
  let code = 0;
  const program = createProgram();
  const load = () => loadConfig({ file: program.opts<Options>().config, env, flags: program.opts<Options>() });

  program
    .command('serve', { isDefault: true })
    .description('serve (the default)')
    .allowExcessArguments()
    .action(async (_options: unknown, command: Command) => {
      refuseUnknown(command.args, program);
      const { dry, quiet } = program.opts<Options>();
      code = dry === true ? check(load()) : await serve(load(), load, quiet === true);
    });
  program
    .command('api')
    .description('serve the management API, which writes to Redis and reads what the nodes report')
    .action(async () => {
      code = await api(load(), program.opts<Options>().quiet === true);
    });
  program
    .command('check')
    .description('check the configuration and print it as it is in force')
    .action(() => {
      code = check(load());
    });
  program
    .command('encrypt-key <name>')
    .description('read a private key from stdin and print it encrypted, for the field key of the record tls:NAME')
    .action(async (name: string) => {
      code = await encryptKeyOf(load(), name, process.stdin);
    });
  program
    .command('hash-password')
    .description('read a password from stdin and print its hash, for the field user:NAME of an auth: record')
    .action(async () => {
      code = await hashPasswordOf(process.stdin);
    });
  program
    .command('tcp')
    .description('multiplex TCP as Proximux, as its environment variables say')
    .option('--warmup', 'connect to all target servers before listening')
    .action(async ({ warmup }: { readonly warmup?: boolean }) => {
      code = await tcp(env, warmup === true);
    });

  program
    .command('explain <url>')
    .description('say which frontend serves a URL and why, how its backends stand and what its policy asks for')
    .option('--driver <url>', 'where frontends are kept; else what the configuration says')
    .option('--from <address>', 'address of the client')
    .option(
      '--header <line>',
      "a header of the request, as 'Name: value'; may be given again",
      (line, all: string[]) => [...all, line],
      [],
    )
    .option('--json', 'print it as JSON')
    .action(async (url: string, options: ExplainOptions & { readonly driver?: string }) => {
      const { driver } = options;
      // With a driver no configuration is needed, so that it works on any machine that reaches Redis.
      const config = driver === undefined ? load() : loadConfig({ settings: { driver }, env: {} });
      code = await explain(config, url, options);
    });

  try {
    await program.parseAsync(words, { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    // Anything else is a defect of the program and shows its stack.
    if (!(error instanceof ConfigError || error instanceof StartError)) throw error;
    process.stderr.write(error instanceof StartError ? `cjs-proxy: ${error.message}\n` : `${error.message}\n`);
    return 1;
  }
}

/** The program with the options that every command takes, before or after its name. */
function createProgram(): Command {
  return new Command('cjs-proxy')
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
}

/** What follows no known command lands at the default one. */
function refuseUnknown(words: readonly string[], program: Command): void {
  const word = words[0];
  if (word === undefined) return;
  const nearest = nearestName(
    word,
    program.commands.map((command) => command.name()),
  );
  program.error(`error: unknown command "${word}"; ${nearest === undefined ? 'see --help' : `did you mean "${nearest}"?`}`);
}
