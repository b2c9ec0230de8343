// Runs once before all tests: what they need beyond Node must be there, or nothing of it is tried.
import { execFileSync } from 'node:child_process';

const needed = ['redis-server', 'redis-cli'];

export default function setup(): void {
  for (const program of needed) {
    try {
      execFileSync(program, ['--version'], { stdio: 'ignore' });
    } catch {
      throw new Error(
        `The tests need ${program}, which is not installed: run \`bash scripts/ensure-redis.sh\`, or install Redis 6 or later.`,
      );
    }
  }
}
