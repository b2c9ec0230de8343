// `npm run chaos`: two nodes with two workers each, four backends and a Redis, to all of which faults are done while clients look at every byte.
//
//   npm run chaos -- [--minutes 10] [--seed N] [--rate 200] [--engine http-proxy]
//
// Prints its seed, and a table of the faults and of what was lost. Fails on a wrong byte, a request that hangs, an error that another
// attempt should have hidden, a cut answer that looks whole, and whatever a worker has not given back.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { reportOf } from './chaos/report.js';
import { runChaos } from './chaos/run.js';

const text = { type: 'string' } as const;
const { values } = parseArgs({ options: { minutes: text, seed: text, rate: text, engine: text } });
const engine = values.engine ?? 'wire';
const minutes = Number(values.minutes ?? 10);
const seed = Number(values.seed ?? Math.floor(Math.random() * 0x1_0000_0000));
const rate = Number(values.rate ?? 200);
if (![minutes, rate].every((number) => number > 0) || !Number.isSafeInteger(seed)) {
  process.stderr.write('chaos: --minutes and --rate are numbers above 0, --seed is a whole number\n');
  process.exit(2);
}
const command = fileURLToPath(new URL('../dist/bin/cjs-proxy.js', import.meta.url));
if (!existsSync(command)) {
  process.stderr.write(`chaos: ${command} is missing: run "npm run build" first\n`);
  process.exit(2);
}
const file = (name: string): string => fileURLToPath(new URL(`chaos/${name}`, import.meta.url));
process.stdout.write(`chaos: ${minutes} minutes, ${rate} requests a second, --engine ${engine}, --seed ${seed}\n`);
let told = 0;
let shown = 0;
const result = await runChaos({
  programs: { node: [command], backend: ['--import', 'tsx', file('backend-main.ts')], preload: file('tell-resources.mjs') },
  ...{ seed, rate, engine, faults: { milliseconds: minutes * 60_000 } },
  progress: (passed, { requests, right, faults, texts }) => {
    for (; shown < texts.length; shown++) process.stdout.write(`MUST NOT HAPPEN: ${texts[shown]}\n`);
    if (passed < told * 60_000) return;
    process.stdout.write(`${told++} min: ${requests} requests, ${right} right, ${faults} that must not happen\n`);
  },
});
process.stdout.write(reportOf(result));
for (const text of result.tally.texts.slice(shown)) process.stdout.write(`MUST NOT HAPPEN: ${text}\n`);
if (result.tally.faults > 0) {
  process.stderr.write(`chaos: ${result.tally.faults} things happened that must not; --seed ${seed}\n`);
  process.exitCode = 1;
}
