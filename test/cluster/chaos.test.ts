// Every fault once, to a fleet of processes under load, with a look at every byte: the short form of `npm run chaos`.
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { faultKinds } from '../../scripts/chaos/faults.js';
import { reportOf } from '../../scripts/chaos/report.js';
import { runChaos } from '../../scripts/chaos/run.js';
import { compiledProgram, ourCommand } from '../helpers/compiled.js';
import { projectRoot } from '../helpers/staged-project.js';

it('no byte is wrong, nothing hangs, and no error comes that another attempt should have hidden, whatever is killed, frozen or cut', async () => {
  const result = await runChaos({
    programs: {
      node: [ourCommand()[1]],
      backend: [compiledProgram('scripts/chaos/backend-main')],
      preload: join(projectRoot, 'scripts/chaos/tell-resources.mjs'),
    },
    seed: 20_261_129,
    rate: 120,
    faults: { each: 500 },
  });
  console.log(reportOf(result));
  const { tally, log } = result;
  expect(tally.texts.join('\n')).toBe('');
  expect(
    log
      .summary()
      .map(({ name }) => name)
      .sort(),
  ).toEqual(faultKinds.map(({ name }) => name).sort());
  expect(tally.right).toBeGreaterThan(500);
}, 120_000);
