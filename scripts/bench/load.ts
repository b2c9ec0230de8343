// The load generator: wrk with one thread, told by a small Lua script what to send and how to report.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadCore, type Processes } from './processes.js';
import { benchHost } from './ready.js';
import type { Scenario } from './scenarios.js';

/** What wrk saw. */
export interface LoadResult {
  /** Requests that were answered completely. */
  readonly requests: number;
  readonly seconds: number;
  readonly p50Milliseconds: number;
  readonly p99Milliseconds: number;
  /** Failed connects, reads and writes, timeouts, and answers of 400 and above. */
  readonly errors: number;
}

/** Runs one job against a port of 127.0.0.1 for whole seconds. Throws when wrk fails or hangs. */
export async function runLoad(
  processes: Processes,
  folder: string,
  scenario: Scenario,
  port: number,
  seconds: number,
): Promise<LoadResult> {
  const script = join(folder, 'load.lua');
  const output = join(folder, 'load.out');
  writeFileSync(script, luaScript(scenario));
  writeFileSync(output, '');
  const wrk = processes.start(
    'wrk',
    [
      '-t',
      '1',
      '-c',
      String(scenario.connections),
      '-d',
      `${seconds}s`,
      '-s',
      script,
      `http://127.0.0.1:${port}${scenario.path}`,
    ],
    { core: loadCore, stdout: output, stderr: output },
  );
  const hung = setTimeout(() => void wrk.stop(), (seconds + 15) * 1000);
  const code = await wrk.ended;
  clearTimeout(hung);
  const report = /^bench (\{.*\})$/m.exec(readFileSync(output, 'utf8'))?.[1];
  if (code !== 0 || report === undefined) throw new Error(`wrk failed on ${scenario.name}: ${wrk.complaint()}`);
  return JSON.parse(report) as LoadResult;
}

// A script without a request() function costs wrk nothing per request: the message is built once.
function luaScript(scenario: Scenario): string {
  const headers = Object.entries({ Host: benchHost, ...scenario.headers });
  return [
    `wrk.method = ${JSON.stringify(scenario.method)}`,
    ...headers.map(([name, value]) => `wrk.headers[${JSON.stringify(name)}] = ${JSON.stringify(value)}`),
    scenario.requestBodyBytes === 0 ? '' : `wrk.body = string.rep("x", ${scenario.requestBodyBytes})`,
    ...clientLines(scenario.limit?.clients ?? 0),
    'done = function(summary, latency)',
    '  local e = summary.errors',
    `  io.write(string.format('\\nbench {"requests":%d,"seconds":%.6f,"p50Milliseconds":%.3f,"p99Milliseconds":%.3f,"errors":%d}\\n',`,
    '    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1000, latency:percentile(99) / 1000,',
    `    e.connect + e.read + e.write + e.timeout${scenario.limit?.refused === true ? '' : ' + e.status'}))`,
    'end',
    '',
  ].join('\n');
}

// All messages are made before the load begins, so that choosing one costs next to nothing.
function clientLines(clients: number): string[] {
  if (clients === 0) return [];
  return [
    'local messages = {}',
    'init = function()',
    `  for at = 1, ${clients} do`,
    "    wrk.headers['X-Forwarded-For'] = string.format('10.%d.%d.%d', math.floor(at / 65536), math.floor(at / 256) % 256, at % 256)",
    '    messages[at] = wrk.format()',
    '  end',
    'end',
    'request = function() return messages[math.random(#messages)] end',
  ];
}
