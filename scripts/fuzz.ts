// `npm run fuzz`: makes up heads, bodies, greetings, records and configurations, and checks what must hold for all of them.
//   npm run fuzz                            each part a number of cases that takes some 60 seconds in all on a small machine
//   npm run fuzz -- --minutes 120           for as long; `--part pipelines,records` runs some parts alone; `--seed 1` repeats
// What does not hold is kept in test/fixtures/finds, made as small as it could be; the test suite checks it from then on.
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Find, FuzzPart } from '../test/fuzz/part.js';
import { fuzzParts } from '../test/fuzz/parts.js';

/** Seconds that all parts together take where nothing is asked for. */
const standardSeconds = 60;
/** Seconds of one part after another, where it goes on for long. */
const roundSeconds = 20;

const { values } = parseArgs({
  options: { minutes: { type: 'string' }, seed: { type: 'string' }, part: { type: 'string' } },
});
const wanted = values.part?.split(',');
const parts = fuzzParts.filter(({ name }) => wanted === undefined || wanted.includes(name));
if (parts.length === 0) throw new Error(`there is no such part; there are ${fuzzParts.map(({ name }) => name).join(', ')}`);
const seed = Number(values.seed ?? Math.floor(Math.random() * 0x7fff_ffff));
const minutes = Number(values.minutes ?? 0);
const finds = fileURLToPath(new URL('../test/fixtures/finds/', import.meta.url));

function keep(find: Find): string {
  const text = `${JSON.stringify(find, null, 2)}\n`;
  const name = `${find.part}-${createHash('sha256').update(text).digest('hex').slice(0, 8)}.json`;
  writeFileSync(`${finds}${name}`, text);
  return name;
}

async function run(part: FuzzPart, seed: number, seconds: number): Promise<boolean> {
  const cases = Math.ceil(part.perSecond * seconds);
  const begun = performance.now();
  const find = await part.run(seed, cases);
  const took = ((performance.now() - begun) / 1000).toFixed(1);
  if (find === null) process.stdout.write(`${part.name}: ${cases} cases in ${took} s, seed ${seed}\n`);
  else process.stdout.write(`${part.name}: FOUND with seed ${seed}, kept as test/fixtures/finds/${keep(find)}\n${find.error}\n`);
  return find === null;
}

let right = true;
const end = performance.now() + minutes * 60_000;
const seconds = minutes === 0 ? standardSeconds / parts.length : roundSeconds;
for (const part of parts) await part.open();
let round = 0;
do {
  for (const part of parts) right = (await run(part, seed + round, seconds)) && right;
  round++;
} while (performance.now() < end);
for (const part of parts) await part.close();
process.exitCode = right ? 0 : 1;
