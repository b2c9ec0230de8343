// `npm run bench`: our node beside nginx, HAProxy and plain http-proxy, the same jobs on one core each, in turn.
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { startBackend } from './backend.js';
import { describeMachine, prepareMachine } from './machine.js';
import { type Measurement, measureScenario } from './measure.js';
import { type Options, parseOptions, usage } from './options.js';
import { cjsProxy } from './peers/cjs-proxy.js';
import { haproxy } from './peers/haproxy.js';
import { httpProxy } from './peers/http-proxy.js';
import { nginx } from './peers/nginx.js';
import { Processes } from './processes.js';
import { judge, renderReport } from './report.js';

const allPeers = [nginx, haproxy, httpProxy, cjsProxy];
/** Above this load average at the start, somebody else uses the machine. */
const busyLoad = 0.5;
const say = (line: string) => process.stderr.write(`${line}\n`);

/** Runs the jobs and prints the report. Gives the exit code. Leaves no process and no file behind, except profiles. */
async function bench(options: Options, processes: Processes): Promise<number> {
  prepareMachine();
  const machine = describeMachine();
  const folder = mkdtempSync(join(tmpdir(), 'cjs-proxy-bench-'));
  const profiles = options.cpuProfile ? createProfileFolder() : null;
  try {
    say(machine);
    const [load = 0] = loadavg();
    if (load > busyLoad)
      say(`The load average is ${load.toFixed(1)}: other work on this machine distorts the figures, most of all p99.`);
    const backendPort = await startBackend(processes, folder);
    const peers = allPeers.filter(({ name }) => options.peers.includes(name));
    const setup = { processes, folder, backendPort, profiles, workers: options.workers };
    const measurements: Measurement[] = [];
    for (const scenario of options.scenarios) {
      measurements.push(...(await measureScenario(scenario, peers, setup, options.effort, say)));
    }
    const verdicts = judge(measurements);
    const { rounds, seconds } = options.effort;
    process.stdout.write(`\n${machine}. Medians of ${rounds} interleaved rounds of ${seconds} s.\n\n`);
    process.stdout.write(renderReport(measurements, options.peers, verdicts));
    if (options.json !== null) {
      writeFileSync(options.json, `${JSON.stringify({ machine, effort: options.effort, measurements, verdicts }, null, 2)}\n`);
    }
    if (profiles !== null) say(`CPU profiles are in ${profiles}`);
    return options.strict && verdicts.some(({ holds }) => holds === false) ? 1 : 0;
  } finally {
    await processes.stopAll();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Stays after the run. Anyone may write there: a node that was started by root has become another user when it ends. */
function createProfileFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'cjs-proxy-profiles-'));
  chmodSync(folder, 0o777);
  return folder;
}

const processes = new Processes();
try {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) process.stdout.write(`${usage}\n`);
  else process.exitCode = await bench(options, processes);
} catch (error) {
  say(processes.interrupted ? 'bench: interrupted' : `bench: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = processes.interrupted ? 130 : 1;
}
