// The commands that are processes of a node or of the management, and small helpers of those who set them up.
import type { Command } from 'commander';
import { StartError } from '../../errors/start-error.js';
import { type Cli, refuseUnknown } from '../cli.js';

export function addProcessCommands(program: Command, cli: Cli): void {
  const quiet = (): boolean => cli.options.quiet === true;
  program
    .command('serve', { isDefault: true })
    .description('serve (the default)')
    .allowExcessArguments()
    .action(async (_options: unknown, command: Command) => {
      refuseUnknown(command, program);
      if (cli.options.dry === true) {
        const { check } = await import('../commands/check.js');
        cli.exitCode = check(cli.load());
        return;
      }
      const { serve } = await import('../commands/serve.js');
      cli.exitCode = await serve(cli.load(), cli.load, quiet());
    });
  program
    .command('api')
    .description('serve the management API, which writes to Redis and reads what the nodes report')
    .action(async () => {
      const { api } = await import('../commands/api.js');
      cli.exitCode = await api(cli.load(), quiet());
    });
  program
    .command('check')
    .description('check the configuration and print it as it is in force')
    .action(async () => {
      const { check } = await import('../commands/check.js');
      cli.exitCode = check(cli.load());
    });
  program
    .command('encrypt-key [name]')
    .description('read a private key from stdin and print it encrypted, for the field key of the record tls:NAME')
    .option('--all', 'encrypt all keys in the store with the first secret instead')
    .action(async (name: string | undefined, { all = false }: { readonly all?: boolean }) => {
      const { encryptAllKeys, encryptKeyOf } = await import('../commands/encrypt-key.js');
      if (all) cli.exitCode = await encryptAllKeys(cli.load());
      else if (name !== undefined) cli.exitCode = await encryptKeyOf(cli.load(), name, process.stdin);
      else throw new StartError('encrypt-key needs the name of a record, or --all');
    });
  program
    .command('hash-password')
    .description('read a password from stdin and print its hash, for the field user:NAME of an auth: record')
    .action(async () => {
      const { hashPasswordOf } = await import('../commands/hash-password.js');
      cli.exitCode = await hashPasswordOf(process.stdin);
    });
  program
    .command('tcp')
    .description('multiplex TCP as Proximux, as its environment variables say')
    .option('--warmup', 'connect to all target servers before listening')
    .action(async ({ warmup }: { readonly warmup?: boolean }) => {
      const { tcp } = await import('../commands/tcp.js');
      cli.exitCode = await tcp(cli.env, warmup === true);
    });
  program
    .command('completion <shell>')
    .description('print what makes a shell complete commands and options: bash or zsh')
    .action(async (shell: string) => {
      const { completion } = await import('../commands/completion.js');
      cli.exitCode = completion(program, shell);
    });
}
