// From the words of the command line to a command and an exit code: 0 done, 1 failed or refused, 2 wrong usage, 3 something was found.
import { CommanderError } from 'commander';
import { ConfigError } from '../config/config-error.js';
import { StartError } from '../errors/start-error.js';
import { CommandError, exitCodes } from './command-error.js';
import { createProgram } from './program/program.js';

/**
 * Runs one command.
 * @param words the command line without program and script
 * @param env environment variables
 * @returns the exit code, for `serve` when the proxy has stopped
 */
export async function main(words: readonly string[], env: Readonly<Record<string, string | undefined>>): Promise<number> {
  const { program, cli } = createProgram(env);
  try {
    await program.parseAsync(words, { from: 'user' });
    return cli.exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
    // Anything else is a defect of the program and shows its stack.
    if (!(error instanceof ConfigError || error instanceof StartError || error instanceof CommandError)) throw error;
    process.stderr.write(error instanceof ConfigError ? `${error.message}\n` : `cjs-proxy: ${error.message}\n`);
    return error instanceof CommandError ? error.exitCode : exitCodes.failed;
  }
}
