// Asks the package registry whether a package of the lockfile has a known vulnerability. Part of `npm run check`.
//
//   exit 0  none is known, or the registry could not be asked: a line on stderr says so, since a check must work without a network
//   exit 1  there are some, each is told
//   exit 2  the registry could not be asked, and --strict says that this is a failure
import { spawnSync } from 'node:child_process';
import process from 'node:process';

const strict = process.argv.includes('--strict');
const { stdout, error } = spawnSync('npm', ['audit', '--json'], { encoding: 'utf8', timeout: 60_000 });
const report = parse(stdout ?? '');

if (error !== undefined || report?.metadata?.vulnerabilities === undefined) {
  const reason = error?.message ?? report?.message ?? report?.error?.summary ?? 'it gave no report';
  console.error(`audit: NOT DONE, the registry could not be asked (${reason}).${strict ? '' : ' Use --strict to fail then.'}`);
  process.exit(strict ? 2 : 0);
}

const { total } = report.metadata.vulnerabilities;
for (const { name, severity, range, via } of Object.values(report.vulnerabilities ?? {})) {
  const titles = via.map((one) => (typeof one === 'string' ? `by ${one}` : one.title));
  console.error(`audit: ${name} ${range}: ${severity}: ${titles.join('; ')}`);
}
if (total > 0) {
  console.error(`audit: ${total} packages with known vulnerabilities; see npm audit`);
  process.exit(1);
}
console.log('audit: no package of the lockfile has a known vulnerability');

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
