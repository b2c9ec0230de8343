// Runs once before all tests: what they need beyond Node must be there, or nothing of it is tried; the project is compiled.
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import type { TestProject } from 'vitest/node';
import { compileProject } from './compile-project.js';
import { programPath } from './programs.js';

/** Programs by the script that installs them. */
const needed: Readonly<Record<string, readonly string[]>> = {
  'ensure-redis.sh': ['redis-server', 'redis-cli', 'redis-benchmark'],
  'ensure-postgresql.sh': ['postgres', 'initdb', 'pgbench', 'psql'],
  'ensure-peers.sh': ['nginx', 'haproxy', 'curl', 'openssl', 'nghttp', 'h2load', 'chromium'],
  'ensure-pebble.sh': ['pebble', 'pebble-challtestsrv'],
};

/** @returns what is run after all tests */
export default async function setup(project: TestProject): Promise<() => void> {
  for (const [script, programs] of Object.entries(needed)) {
    for (const program of programs) {
      try {
        execFileSync('sh', ['-c', 'command -v "$0"', program], { stdio: 'ignore', env: { PATH: programPath } });
      } catch {
        throw new Error(
          `The tests need ${program}, which is not installed: run \`bash scripts/${script}\`, or install it by hand.`,
        );
      }
    }
  }
  const compiled = await compileProject();
  project.provide('compiled', compiled);
  return () => rmSync(compiled, { recursive: true });
}
