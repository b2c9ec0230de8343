// What a flood of distinct clients costs a worker in memory: a million addresses through a limited frontend's tier, one request each.
//   node --import tsx scripts/limit-memory.ts [points] [addresses]
import { Accounts } from '../src/limits/accounts.js';
import { createLimiters } from '../src/limits/create-limiters.js';
import { addressKey } from '../src/limits/tier-key.js';
import { TierLimit } from '../src/limits/tier-limit.js';
import { parseTier } from '../src/model/tier.js';

const [points = '500', addresses = '1000000'] = process.argv.slice(2);
/** The default of `limits.clients`. */
const bound = 200_000;
const mebibyte = 1 << 20;

const accounts = new Accounts(bound);
// Without Redis the counters are in this process too, which is the most that a worker can need.
const parts = { accounts, limiterFor: createLimiters(null, 'local', bound) };
const tier = new TierLimit(parseTier('flooded', { values: ['points', points], fault: '' }).tier, parts);

/** Addresses of both families in turn, each another one. */
function address(at: number): string {
  const bytes = [(at >>> 16) & 255, (at >>> 8) & 255, at & 255];
  if (at % 2 === 0) return `203.${bytes.join('.')}`;
  return addressKey(`2001:db8:${bytes[0]?.toString(16)}:${(at & 0xffff).toString(16)}::1`);
}

const before = process.memoryUsage.rss();
let most = before;
for (let at = 0; at < Number(addresses); at++) {
  const verdict = tier.take(address(at), 1, performance.now());
  if (verdict instanceof Promise) await verdict;
  if (at % 1_000 === 0) {
    most = Math.max(most, process.memoryUsage.rss());
    // As between requests: what waits for the event loop is let in.
    await new Promise((resolve) => setImmediate(resolve));
  }
}
most = Math.max(most, process.memoryUsage.rss());
const result = { addresses: Number(addresses), known: accounts.size, growthMiB: Math.round((most - before) / mebibyte) };
process.stdout.write(`${JSON.stringify(result)}\n`);
process.exit(0);
