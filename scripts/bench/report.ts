// Results as Markdown for the README: one table a figure, and the bars with whether they hold.
import { type Bar, bars } from './bars.js';
import type { Measurement, Sample } from './measure.js';
import type { PeerName } from './peers/peer.js';
import { type Scenario, scenarios } from './scenarios.js';

const titles: Record<PeerName, string> = {
  nginx: 'nginx',
  haproxy: 'HAProxy',
  'http-proxy': 'http-proxy',
  'cjs-proxy': 'cjs-proxy',
};
const ours: PeerName = 'cjs-proxy';

/** A bar and what was measured. */
export interface Verdict {
  readonly bar: Bar;
  /** The ratio, or the absolute figure; null: one of the two peers or the job was left out. */
  readonly measured: number | null;
  readonly holds: boolean | null;
}

/** Compares medians with the bars. */
export function judge(measurements: readonly Measurement[]): Verdict[] {
  return bars.map((bar) => {
    const own = find(measurements, bar.scenario, ours)?.[bar.metric];
    const unit = bar.against === null ? 1 : unitOf(measurements, bar.scenario, bar.against)?.[bar.metric];
    const measured = own === undefined || unit === undefined ? null : own / unit;
    return { bar, measured, holds: measured === null ? null : measured <= bar.atMost };
  });
}

/** All tables as Markdown. `peers` are the columns, in order. */
export function renderReport(
  measurements: readonly Measurement[],
  peers: readonly PeerName[],
  verdicts: readonly Verdict[],
): string {
  const jobs = scenarios.filter(({ name }) => measurements.some(({ scenario, beside }) => scenario === name && beside === null));
  const others = peers.includes(ours) ? peers.filter((peer) => peer !== ours) : [];
  const cell = (job: Scenario, peer: PeerName, show: (sample: Sample) => string) => {
    const sample = find(measurements, job.name, peer);
    return sample === undefined ? '' : show(sample);
  };
  const figures = (show: (sample: Sample) => string) =>
    jobs.map((job) => {
      const unit = unitOf(measurements, job.name, 'baseline');
      const beside = (peer: PeerName) => (unit === undefined || peer !== ours ? '' : ` (${show(unit)})`);
      return [job.title, ...peers.map((peer) => cell(job, peer, show) + beside(peer))];
    });
  const ratios = jobs.map((job) => others.map((other) => ratio(measurements, job, other)));
  const head = peers.map((peer) => titles[peer]);
  const sections = [
    heading('CPU-microseconds a request (user and system time of the proxy)'),
    table(
      ['job', ...head, ...others.map((other) => `ours : ${titles[other]}`)],
      figures((sample) => sample.cpu.toFixed(1)).map((row, index) => [...row, ...(ratios[index] ?? [])]),
    ),
    heading('Latency in milliseconds under full load: median / 99th percentile'),
    table(
      ['job', ...head],
      figures((sample) => `${sample.p50.toFixed(2)} / ${sample.p99.toFixed(2)}`),
    ),
    heading('Requests a second (and the share of its core that the proxy used)'),
    table(
      ['job', ...head],
      figures((sample) => `${Math.round(sample.requestsPerSecond)} (${Math.round(sample.busy * 100)} %)`),
    ),
    heading('Resident memory in MiB at the end of the load'),
    table(
      ['job', ...head],
      figures((sample) => sample.rss.toFixed(0)),
    ),
  ];
  if (measurements.some(({ beside }) => beside !== null))
    sections.push('In brackets: our node in the same rounds on the job that this one is compared with; the bars name it.');
  if (verdicts.some(({ measured }) => measured !== null)) sections.push(heading('Bars'), renderVerdicts(verdicts));
  const failed = measurements.filter(({ median }) => median.errors > 0);
  for (const { peer, scenario, median } of failed)
    sections.push(`**${titles[peer]} had ${median.errors} errors on ${scenario}: its figures there mean nothing.**`);
  return `${sections.join('\n\n')}\n`;
}

function renderVerdicts(verdicts: readonly Verdict[]): string {
  const rows = verdicts.map(({ bar, measured, holds }) => [
    scenarios.find(({ name }) => name === bar.scenario)?.title ?? bar.scenario,
    barText(bar),
    measured === null ? 'not measured' : measured.toFixed(2),
    holds === null ? '' : holds ? 'holds' : 'FAILS',
  ]);
  return table(['job', 'bar', 'measured', ''], rows);
}

function barText({ scenario, metric, against, atMost }: Bar): string {
  const what = { cpu: 'CPU a request', p99: 'p99', rss: 'memory' }[metric];
  if (against === null) return `${what} ≤ ${atMost} MiB`;
  if (against !== 'baseline') return `${what} ≤ ${atMost} × ${titles[against]}`;
  return `${what} ≤ ${atMost} × that of: ${scenarios.find(({ name }) => name === scenario)?.baseline?.title}`;
}

/** What a bar compares with, measured in the same rounds. */
function unitOf(measurements: readonly Measurement[], scenario: string, against: PeerName | 'baseline'): Sample | undefined {
  if (against !== 'baseline') return find(measurements, scenario, against);
  return measurements.find(({ beside, peer }) => beside === scenario && peer === ours)?.median;
}

function ratio(measurements: readonly Measurement[], job: Scenario, other: PeerName): string {
  const own = find(measurements, job.name, ours);
  const unit = find(measurements, job.name, other);
  return own === undefined || unit === undefined ? '' : (own.cpu / unit.cpu).toFixed(2);
}

function find(measurements: readonly Measurement[], scenario: string, peer: PeerName): Sample | undefined {
  return measurements.find(
    (measurement) => measurement.scenario === scenario && measurement.beside === null && measurement.peer === peer,
  )?.median;
}

function heading(text: string): string {
  return `**${text}**`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const rule = head.map((_, index) => (index === 0 ? '---' : '---:'));
  return [line(head), line(rule), ...rows.map(line)].join('\n');
}
