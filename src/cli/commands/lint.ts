// `cjs-proxy lint`: what is wrong with what the store holds, and how to mend it.
import type { Finding } from '../../management/operations/lint-records.js';
import { exitCodes } from '../command-error.js';
import { Progress } from '../output/progress.js';
import { pairLines } from '../output/table.js';
import type { Session } from '../session.js';

interface LintPage {
  readonly checked: number;
  readonly findings: readonly Finding[];
}

/** Exits with 3 where anything was found. */
export async function lint(session: Session): Promise<number> {
  const progress = new Progress('records looked at:');
  const seen = new Set<string>();
  const all: Finding[] = [];
  let checked = 0;
  let cursor = '';
  try {
    do {
      const query = cursor === '' ? {} : { cursor };
      const reply = await session.fleet.ask({ method: 'get', path: '/lint', query });
      const page = reply.body as LintPage;
      cursor = reply.cursor;
      checked += page.checked;
      for (const finding of page.findings) {
        const told = JSON.stringify(finding);
        if (seen.has(told)) continue;
        seen.add(told);
        all.push(finding);
        if (session.json) continue;
        progress.end();
        session.print(linesOf(finding).join('\n'));
      }
      progress.at(checked);
    } while (cursor !== '');
  } finally {
    progress.end();
  }
  const errors = all.filter(({ level }) => level === 'error').length;
  if (session.json) session.print(JSON.stringify({ checked, findings: all }));
  else session.note(`${checked} records, ${errors} errors, ${all.length - errors} warnings`);
  return all.length === 0 ? exitCodes.done : exitCodes.found;
}

function linesOf({ key, level, text, mend }: Finding): string[] {
  return pairLines([
    [`${level}:`.padEnd('warning:'.length), `${key}: ${text}`],
    ['', `mend: ${mend}`],
  ]);
}
