// A logger that keeps what it is told, for tests that read the diagnostic log.
import { createLogger, type Logger } from '../../src/observe/logger.js';

/** One line of the log. */
export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** The logger of the product over a list; `lines` grows with each line. */
export function recordingLogger(): { readonly logger: Logger; readonly lines: readonly LogLine[] } {
  const lines: LogLine[] = [];
  const write = (line: string) => void lines.push(JSON.parse(line) as LogLine);
  return { logger: createLogger('debug', {}, { terminal: false, write }), lines };
}
