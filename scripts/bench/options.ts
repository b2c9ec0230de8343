// The command line of the bench.
import { parseArgs } from 'node:util';
import type { Effort } from './measure.js';
import { type PeerName, peerNames } from './peers/peer.js';
import { type Scenario, scenarios } from './scenarios.js';

export const usage = `npm run bench -- [options]
  --quick            2 short rounds, for a look while developing
  --rounds N         rounds of each peer on each job (5)
  --seconds N        length of a round (3)
  --only a,b         only these jobs: ${scenarios.map(({ name }) => name).join(', ')}
  --peers a,b        only these proxies: ${peerNames.join(', ')}
  --workers N        server.workers of our node: 0 serves in one process, 1 adds a supervisor (0)
  --json FILE        also write all rounds to FILE
  --strict           exit with 1 when a bar does not hold
  --cpu-prof         write CPU profiles of our node and print where they are
  --help`;

/** What the user asked for. */
export interface Options {
  readonly help: boolean;
  readonly effort: Effort;
  readonly scenarios: readonly Scenario[];
  readonly peers: readonly PeerName[];
  readonly workers: number;
  readonly json: string | null;
  readonly strict: boolean;
  readonly cpuProfile: boolean;
}

/** Reads the arguments after the script's name. Throws an error with one clear line. */
export function parseOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      only: { type: 'string' },
      peers: { type: 'string' },
      workers: { type: 'string' },
      json: { type: 'string' },
      strict: { type: 'boolean', default: false },
      'cpu-prof': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const defaults: Effort = values.quick
    ? { rounds: 2, seconds: 1, warmupSeconds: 2 }
    : { rounds: 5, seconds: 3, warmupSeconds: 4 };
  const names = chosen(
    '--only',
    values.only,
    scenarios.map(({ name }) => name),
  );
  return {
    help: values.help,
    effort: {
      ...defaults,
      rounds: wholeNumber('--rounds', values.rounds, 1, defaults.rounds),
      seconds: wholeNumber('--seconds', values.seconds, 1, defaults.seconds),
    },
    scenarios: scenarios.filter(({ name }) => names.includes(name)),
    peers: chosen('--peers', values.peers, peerNames),
    workers: wholeNumber('--workers', values.workers, 0, 0),
    json: values.json ?? null,
    strict: values.strict,
    cpuProfile: values['cpu-prof'],
  };
}

function wholeNumber(flag: string, text: string | undefined, least: number, byDefault: number): number {
  if (text === undefined) return byDefault;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least) throw new Error(`${flag} ${text}: a whole number from ${least} is needed`);
  return value;
}

/** The allowed names that the comma-separated text holds, in the order of `allowed`. */
function chosen<Name extends string>(flag: string, text: string | undefined, allowed: readonly Name[]): Name[] {
  if (text === undefined) return [...allowed];
  const wanted = text.split(',').map((name) => name.trim());
  const unknown = wanted.find((name) => !allowed.some((known) => known === name));
  if (unknown !== undefined) throw new Error(`${flag} ${unknown}: not one of ${allowed.join(', ')}`);
  return allowed.filter((name) => wanted.includes(name));
}
