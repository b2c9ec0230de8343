// `cjs-proxy plan FILE` and `apply FILE`: how what is there differs from a document, and the document put in force.
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import type { ImportResult } from '../../management/operations/import.js';
import { Problem } from '../../management/problem.js';
import { readDocument } from '../../management/read-document.js';
import { CommandError, exitCodes } from '../command-error.js';
import { differenceLines } from '../output/differences.js';
import { Progress } from '../output/progress.js';
import type { Session } from '../session.js';

export interface PlanOptions {
  readonly prune?: boolean;
}

export interface ApplyOptions extends PlanOptions {
  readonly yes?: boolean;
}

/** Sections by their names. */
type Document = Readonly<Record<string, unknown>>;

/** So many entries are sent at a time, so that it can be said how far it is. */
const together = 2_000;

/** Only tells; 3 where anything would change. */
export async function plan(session: Session, [file = '']: readonly string[], { prune = false }: PlanOptions): Promise<number> {
  const result = await planned(session, readFile(file), prune);
  if (session.json) session.print(JSON.stringify(result));
  else session.print(differenceLines(result.changes).join('\n'));
  return result.changes.length === 0 ? exitCodes.done : exitCodes.found;
}

/** Tells, and then does it. On a terminal it asks first. */
export function apply(session: Session, [file = '']: readonly string[], options: ApplyOptions): Promise<number> {
  return applyDocument(session, readFile(file), options);
}

/** @param document its form is checked by whom it is sent to */
export async function applyDocument(
  session: Session,
  document: Document,
  { prune = false, yes = false }: ApplyOptions,
): Promise<number> {
  const { changes } = await planned(session, document, prune);
  if (!session.json) session.print(differenceLines(changes).join('\n'));
  if (changes.length > 0) {
    if (!yes && !(await agreed(changes.length))) throw new CommandError('nothing was changed');
    await carryOut(session, document, prune);
  }
  if (session.json) session.print(JSON.stringify({ changes }));
  else if (changes.length > 0) session.print('done');
  return exitCodes.done;
}

async function planned(session: Session, document: Document, prune: boolean): Promise<ImportResult> {
  const query = { dry: 'true', prune: String(prune) };
  const { body } = await session.fleet.ask({ method: 'post', path: '/import', query, body: document });
  const result = body as ImportResult;
  for (const warning of result.warnings) session.note(`warning: ${warning}`);
  return result;
}

/** What is removed is known from the whole document alone, which then goes in one piece. */
async function carryOut(session: Session, document: Document, prune: boolean): Promise<void> {
  const parts = prune ? [document] : partsOf(document);
  const progress = new Progress('parts applied:');
  try {
    for (const [at, body] of parts.entries()) {
      // What is left out was told with the plan.
      await session.write({ method: 'post', path: '/import', query: { prune: String(prune) }, body }, false);
      progress.at(at + 1, parts.length);
    }
  } finally {
    progress.end();
  }
}

/** Routes by and by, behind everything that they may name. */
function partsOf({ routes, ...rest }: Document): Document[] {
  const entries = Object.entries((routes ?? {}) as object);
  if (entries.length <= together) return [{ ...rest, ...(routes === undefined ? {} : { routes }) }];
  const { cjsProxy } = rest;
  const parts: Document[] = [rest];
  for (let at = 0; at < entries.length; at += together)
    parts.push({ cjsProxy, routes: Object.fromEntries(entries.slice(at, at + together)) });
  return parts;
}

async function agreed(changes: number): Promise<boolean> {
  if (process.stdin.isTTY !== true || process.stderr.isTTY !== true) return true;
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(?:es)?$/i.test(
      (await lines.question(`Make ${changes === 1 ? 'this change' : `these ${changes} changes`}? [y/N] `)).trim(),
    );
  } finally {
    lines.close();
  }
}

/** @param file `-` is stdin */
function readFile(file: string): Document {
  let text: string;
  try {
    text = readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    throw new CommandError(`cannot read ${file} (${(error as NodeJS.ErrnoException).code ?? String(error)})`);
  }
  try {
    const document = readDocument(text);
    if (typeof document === 'object' && document !== null && !Array.isArray(document)) return document as Document;
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    throw new CommandError(`${file} ${problem.faults[0]?.detail ?? problem.message}`);
  }
  throw new CommandError(`${file} is no document: it has to begin with \`cjsProxy: 1\`, as \`export\` prints it`);
}
