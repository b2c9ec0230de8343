// What monitors are told: each metric by its name, labels within bounds, and whatever the examples ask for.
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { MetricsConfig } from '../../../src/config/config.js';
import { loadConfig } from '../../../src/config/load.js';
import { figureKey } from '../../../src/observe/figures.js';
import { RouteCounts } from '../../../src/observe/route-counts.js';
import { Tally } from '../../../src/observe/tally.js';
import { renderMetrics } from '../../../src/proxy/metrics-page.js';
import { NodeStats } from '../../../src/proxy/node-stats.js';

const node = { id: 'one', boot: 'x', pid: 1, startedAt: 1_700_000_000_000 };

/** Counts a request of a frontend. */
function serve(tally: Tally, name: string, id = 'b', status = 200, milliseconds = 20): void {
  const held = new RouteCounts();
  const counts = tally.frontend(held, name);
  const backend = held.backend(counts, 0, id);
  counts.requests++;
  counts.codes.add(status, 1);
  counts.latency.record(milliseconds);
  backend.attempts++;
  backend.codes.add(status, 1);
  backend.latency.record(milliseconds);
}

function tell(stats: NodeStats, source: number, tally: Tally, counters = {}, gauges = {}): void {
  stats.hear(source, source, { frontends: tally.collect(), counters, gauges, last: false });
}

async function pageOf(stats: NodeStats, names: MetricsConfig['names'] = 'standard'): Promise<string> {
  const { body, contentType } = await renderMetrics({ snapshot: stats.snapshot(), node, state: null, names });
  expect(contentType).toContain('text/plain; version=0.0.4');
  return body;
}

function statsOf(most = 200): NodeStats {
  return new NodeStats(most, (text) => {
    throw new Error(text);
  });
}

/** Every name that a monitor may ask for, with what it means. */
async function families(names: MetricsConfig['names']): Promise<{ name: string; type: string; help: string }[]> {
  const page = await pageOf(statsOf(), names);
  return [...page.matchAll(/^# HELP (\S+) (.*)\n# TYPE \S+ (\S+)/gm)].map(([, name = '', help = '', type = '']) => ({
    name,
    type,
    help,
  }));
}

describe('the page of metrics', () => {
  it('adds up the workers: counters for good, what is true now for as long as a worker lives', async () => {
    const stats = statsOf();
    const [one, two] = [new Tally(), new Tally()];
    serve(one, 'a.example');
    serve(two, 'a.example', 'b', 503);
    tell(stats, 1, one, { tunnels_total: 2 }, { connections_open: 5, store_staleness_seconds: 1, overloaded: 0 });
    tell(stats, 2, two, { tunnels_total: 3 }, { connections_open: 7, store_staleness_seconds: 4, overloaded: 1 });
    const page = await pageOf(stats);
    for (const line of [
      'cjs_proxy_requests_total{frontend="a.example",class="2xx"} 1',
      'cjs_proxy_requests_total{frontend="a.example",class="5xx"} 1',
      'cjs_proxy_responses_total{code="503"} 1',
      'cjs_proxy_backend_attempts_total{frontend="a.example",backend="b"} 2',
      'cjs_proxy_request_duration_seconds_count{frontend="a.example"} 2',
      'cjs_proxy_tunnels_total 5',
      'cjs_proxy_connections_open 12',
      'cjs_proxy_store_staleness_seconds 4',
      'cjs_proxy_overloaded{worker="2"} 1',
    ]) {
      expect(page.split('\n')).toContain(line);
    }
    expect(page).toMatch(/^cjs_proxy_request_duration_seconds_sum\{frontend="a.example"\} 0\.04$/m);
    expect(page).toMatch(/_bucket\{[^}]*le="0.01"[^}]*\} 0$/m);
    expect(page).toMatch(/_bucket\{[^}]*le="0.025"[^}]*\} 2$/m);
    stats.lose(2);
    const after = (await pageOf(stats)).split('\n');
    expect(after).toContain('cjs_proxy_tunnels_total 5');
    expect(after).toContain('cjs_proxy_connections_open 5');
    expect(after).toContain('cjs_proxy_requests_total{frontend="a.example",class="5xx"} 1');
  });

  it('has no more values of a label than are allowed, and loses nothing', async () => {
    const stats = statsOf(3);
    const tally = new Tally();
    for (let at = 0; at < 50; at++) serve(tally, `h${at}.example`, `b${at}`);
    for (let at = 0; at < 50; at++) serve(tally, 'h0.example', `c${at}`);
    tell(stats, 1, tally);
    const lines = (await pageOf(stats)).split('\n').filter((line) => line.startsWith('cjs_proxy_requests_total{'));
    expect(lines).toHaveLength(4);
    expect(lines).toContain('cjs_proxy_requests_total{frontend="(other)",class="2xx"} 47');
    const backends = (await pageOf(stats)).split('\n').filter((line) => line.startsWith('cjs_proxy_backend_attempts_total{'));
    expect(backends.filter((line) => line.includes('h0.example'))).toHaveLength(21);
    expect(backends.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)).toBe(100);
  });

  it('shows what is not to be trusted as text: names with quotes and line ends', async () => {
    const stats = statsOf();
    const tally = new Tally();
    serve(tally, 'a"b\nc\\d');
    tell(stats, 1, tally, { [figureKey('rate_limit_decisions_total', 'a"\t\n', 'refused')]: 1, 'no such metric': 5 });
    const page = await pageOf(stats);
    expect(page).toContain('frontend="a\\"b\\nc\\\\d"');
    expect(page).not.toContain('no such metric');
    for (const line of page.split('\n')) expect(line).toMatch(/^(#.*|[a-z_\d]+(\{.*\})? [-+\d.e]+)?$/);
  });

  it('tells the same numbers by the names of PlanB, where it is asked to', async () => {
    const stats = statsOf();
    const tally = new Tally();
    serve(tally, 'a.example', 'b', 404);
    tell(stats, 1, tally, { backend_dead_marks_total: 3 }, { connections_open: 5, tunnels_open: 2 });
    const page = await pageOf(stats, 'planb');
    expect(page).not.toContain('cjs_proxy');
    for (const line of [
      'planb_reverseproxy_connections_current_open 3',
      'planb_reverseproxy_http_request_duration_seconds_count 1',
      'planb_reverseproxy_backend_request_duration_seconds_count 1',
      'planb_reverseproxy_backends_responses_total{status_code="404"} 1',
      'planb_router_backend_markdead_total 3',
    ]) {
      expect(page.split('\n')).toContain(line);
    }
    expect(await pageOf(stats, 'both')).toContain('cjs_proxy_requests_total');
  });

  it('takes nothing from a worker that tells nonsense', async () => {
    const faults: string[] = [];
    const stats = new NodeStats(10, (text) => faults.push(text));
    stats.hear(1, 1, { frontends: Buffer.alloc(3, 255), counters: {}, gauges: {}, last: false });
    expect(faults).toHaveLength(1);
    expect(await pageOf(stats)).toContain('cjs_proxy_info');
  });
});

describe('the examples and the documentation', () => {
  it.each(['grafana-dashboard.json', 'prometheus-alerts.yml'])('%s asks only for metrics that there are', async (file) => {
    const text = readFileSync(`config/examples/monitoring/${file}`, 'utf8');
    const asked = new Set(text.match(/cjs_proxy_\w+/g));
    expect(asked.size).toBeGreaterThan(5);
    const there = (await families('standard')).flatMap(({ name, type }) =>
      type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
    );
    for (const name of asked) expect(there).toContain(name);
  });

  it('docs/metrics.md lists every metric, and names those of PlanB', async () => {
    const page = readFileSync('docs/metrics.md', 'utf8');
    const [before = '', rest = ''] = page.split('<!-- metrics: begin -->');
    const [, after = ''] = rest.split('<!-- metrics: end -->');
    const rows = (await families('standard')).map(({ name, type, help }) => `| \`${name}\` | ${type} | ${help} |`);
    const table = ['| metric | type | meaning |', '|---|---|---|', ...rows].join('\n');
    // After a change: npx vitest run test/unit/proxy/metrics-page.test.ts --update
    const written = `${before}<!-- metrics: begin -->\n${table}\n<!-- metrics: end -->${after}`;
    await expect(written).toMatchFileSnapshot('../../../docs/metrics.md');
    for (const { name } of await families('planb')) expect(page).toContain(name);
  });

  it('the configuration in docs/metrics.md is one', () => {
    const example = /```json\n([\s\S]*?)```/.exec(readFileSync('docs/metrics.md', 'utf8'))?.[1] ?? '';
    const file = join(mkdtempSync(join(tmpdir(), 'metrics-docs-')), 'config.json');
    writeFileSync(file, example);
    const config = loadConfig({ file, env: {}, cwd: tmpdir(), root: false });
    expect(config.admin).toEqual({ address: '10.0.0.5', port: 9100 });
    expect(config.metrics).toEqual({ frontends: 200, names: 'standard' });
  });
});
