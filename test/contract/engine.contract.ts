// What every engine must do, as one suite over a real proxy and real sockets. Each engine is the other's oracle.
import { afterAll, describe, expect, it } from 'vitest';
import type { EngineName } from '../../src/config/config.js';
import { badAnswerCases } from './engine/bad-answers.cases.js';
import { bodyCases } from './engine/bodies.cases.js';
import { bodyLimitCases } from './engine/body-limit.cases.js';
import { connectionCases } from './engine/connections.cases.js';
import { continueCases } from './engine/continue.cases.js';
import { failureCases } from './engine/failures.cases.js';
import { forwardedCases } from './engine/forwarded.cases.js';
import { headerPolicyCases } from './engine/header-policy.cases.js';
import { headerCases } from './engine/headers.cases.js';
import { healthCases } from './engine/health.cases.js';
import { mirrorCases } from './engine/mirror.cases.js';
import { pagePolicyCases } from './engine/page-policy.cases.js';
import { redirectPolicyCases } from './engine/redirect-policy.cases.js';
import { requestCases } from './engine/requests.cases.js';
import { responseCases } from './engine/responses.cases.js';
import { retryCases } from './engine/retries.cases.js';
import { retryPolicyCases } from './engine/retry-policy.cases.js';
import { rewritingPolicyCases } from './engine/rewriting-policy.cases.js';
import { timeLimitCases } from './engine/time-limits.cases.js';
import { transportCases } from './engine/transport.cases.js';
import { tunnelCases } from './engine/tunnels.cases.js';
import { upgradeCases } from './engine/upgrade.cases.js';
import { type CaseGroup, Proxies, type Sides } from './engine/world.js';

/** What an engine, or a protocol, cannot do, and why. */
export interface Skip {
  /** Title of the case, or of a group of them. */
  readonly case: string;
  readonly reason: string;
}

/** Which engine, what is spoken on its sides (HTTP/1.1 unless it says otherwise), and what is known of it. */
export interface ContractOptions extends Partial<Sides> {
  readonly engine: EngineName;
  readonly skip: readonly Skip[];
}

const groups: readonly CaseGroup[] = [
  requestCases,
  responseCases,
  connectionCases,
  continueCases,
  bodyCases,
  headerCases,
  forwardedCases,
  retryCases,
  retryPolicyCases,
  timeLimitCases,
  mirrorCases,
  headerPolicyCases,
  redirectPolicyCases,
  rewritingPolicyCases,
  pagePolicyCases,
  bodyLimitCases,
  failureCases,
  badAnswerCases,
  healthCases,
  upgradeCases,
  tunnelCases,
  transportCases,
];

/** Fewer would mean that somebody took cases out. */
const fewestCases = 60;

/** Runs the contract. Skips are printed with their reasons; one that names no case fails. */
export function engineContract(name: string, options: ContractOptions): void {
  const { engine, clients = 'http1', backends = 'http1', skip } = options;
  describe(`the engine contract: ${name}`, () => {
    const proxies = new Proxies(engine, { clients, backends });
    afterAll(() => proxies.close());

    it(`has at least ${fewestCases} cases, and every skip names one`, () => {
      const titles = groups.flatMap((group) => group.cases.map((one) => one.title));
      expect(new Set(titles).size).toBe(titles.length);
      expect(titles.length).toBeGreaterThanOrEqual(fewestCases);
      const all = new Set([...titles, ...groups.map(({ title }) => title)]);
      expect(all.size).toBe(titles.length + groups.length);
      for (const one of skip) expect(all).toContain(one.case);
    });

    for (const group of groups) {
      describe(group.title, () => {
        for (const one of group.cases) {
          const skipped = skip.find((candidate) => candidate.case === one.title || candidate.case === group.title);
          if (skipped !== undefined) {
            process.stdout.write(`skipped for ${name}: ${one.title} (${skipped.reason})\n`);
            it.skip(`${one.title} (${skipped.reason})`, () => {});
            continue;
          }
          it(one.title, async () => {
            const world = await proxies.world(one.settings);
            try {
              await one.run(world);
            } finally {
              await world.close();
            }
          });
        }
      });
    }
  });
}
