// Runs a command in this process, and gives what it wrote and what it ended with: for what needs no process of its own.
import { vi } from 'vitest';
import { main } from '../../src/cli/main.js';
import type { Ended } from './run-cli.js';

/**
 * One at a time: what this process writes meanwhile is taken for the command's.
 * @param words the command line behind `cjs-proxy`
 */
export async function runMain(words: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const written = { stdout: '', stderr: '' };
  const spies = (['stdout', 'stderr'] as const).map((name) =>
    vi.spyOn(process[name], 'write').mockImplementation((text) => {
      written[name] += String(text);
      return true;
    }),
  );
  try {
    const code = await main(words, env);
    return { code, ...written };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}
