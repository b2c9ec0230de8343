// `cjs-proxy export`: everything as one document.
import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { CommandError, exitCodes } from '../command-error.js';
import { Progress } from '../output/progress.js';
import type { Session } from '../session.js';

export interface ExportOptions {
  readonly format?: string;
  readonly output?: string;
}

/** Written as it comes, so that a million routes need not be in memory. */
export async function exportAll(session: Session, { format, output }: ExportOptions): Promise<number> {
  const wanted = format ?? (session.json ? 'json' : 'yaml');
  if (wanted !== 'yaml' && wanted !== 'json')
    throw new CommandError(`there is no format ${JSON.stringify(wanted)}; allowed: yaml, json`, exitCodes.usage);
  const pieces = session.fleet.stream({ method: 'get', path: '/export', query: { format: wanted } });
  if (output === undefined) {
    for await (const piece of pieces) process.stdout.write(piece);
    return exitCodes.done;
  }
  const progress = new Progress('bytes written:');
  // Hashes of passwords are in it.
  const file = createWriteStream(output, { mode: 0o600 });
  try {
    await pipeline(Readable.from(counted(pieces, progress)), file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).path !== output) throw error;
    throw new CommandError(`cannot write ${output} (${(error as NodeJS.ErrnoException).code ?? String(error)})`);
  } finally {
    progress.end();
  }
  return exitCodes.done;
}

async function* counted(pieces: AsyncIterable<string>, progress: Progress): AsyncGenerator<string> {
  let bytes = 0;
  for await (const piece of pieces) {
    bytes += Buffer.byteLength(piece);
    progress.at(bytes);
    yield piece;
  }
}
