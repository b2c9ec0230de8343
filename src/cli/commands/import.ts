// `cjs-proxy import SOURCE`: what another proxy has, made a document, shown and applied. Nothing that is there is removed.
import { readFileSync } from 'node:fs';
import { stringify } from 'yaml';
import { CommandError, exitCodes } from '../command-error.js';
import type { ImportedState } from '../import/imported-state.js';
import { importNginx } from '../import/nginx.js';
import { importProxima, isProxima } from '../import/proxima.js';
import type { Session } from '../session.js';
import { applyDocument } from './plan.js';

export interface ImportCommandOptions {
  readonly from?: string;
  /** Only the document. */
  readonly print?: boolean;
  readonly yes?: boolean;
}

const kinds = ['hipache', 'proxima', 'nginx'] as const;
type Kind = (typeof kinds)[number];

export async function importFrom(
  session: Session,
  [source = '']: readonly string[],
  { from, print = false, yes = false }: ImportCommandOptions,
): Promise<number> {
  const { document, warnings } = await stateOf(session, source, kindOf(from));
  for (const warning of warnings) session.note(`warning: ${warning}`);
  if (!print) return applyDocument(session, document, { yes });
  session.print(session.json ? JSON.stringify(document) : stringify(document, { lineWidth: 0 }).trimEnd());
  return exitCodes.done;
}

async function stateOf(session: Session, source: string, kind: Kind | undefined): Promise<ImportedState> {
  if (kind === 'hipache' || (kind === undefined && /^redi(?:s|ss|s\+\w+):\/\//.test(source))) {
    const { importHipache } = await import('../import/hipache.js');
    return importHipache(source);
  }
  const text = read(source);
  if (kind === 'proxima' || (kind === undefined && isProxima(text))) {
    const { patterns } = await session.read<{ readonly patterns: readonly unknown[] }>('/patterns');
    return importProxima(text, source, patterns);
  }
  return importNginx(text, source);
}

function kindOf(text: string | undefined): Kind | undefined {
  if (text === undefined) return undefined;
  const kind = kinds.find((one) => one === text);
  if (kind === undefined)
    throw new CommandError(`${JSON.stringify(text)} cannot be imported from; allowed: ${kinds.join(', ')}`, exitCodes.usage);
  return kind;
}

/** @param file `-` is stdin */
function read(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    throw new CommandError(`cannot read ${file} (${(error as NodeJS.ErrnoException).code ?? String(error)})`);
  }
}
