// The diagnostic log of a process: JSON lines on stderr, or short readable lines where stderr is a terminal.
import { hostname } from 'node:os';
import pino from 'pino';
import { redactFields, redactText } from './redact.js';

/** Least severity that is written; `silent` writes nothing. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** Writes lines. Passwords in URLs are masked in texts and fields. */
export interface Logger {
  debug(text: string, fields?: object): void;
  info(text: string, fields?: object): void;
  warn(text: string, fields?: object): void;
  error(text: string, fields?: object): void;
}

/** Where lines go. */
export interface LogOutput {
  /** Whether a person watches: readable lines instead of JSON. */
  readonly terminal: boolean;
  /** Takes a whole line with its newline, and has written it when it returns: the last words of a process must not be lost. */
  write(line: string): void;
}

type Severity = Exclude<LogLevel, 'silent'>;
const severities: readonly Severity[] = ['debug', 'info', 'warn', 'error'];

/**
 * @param level least severity that is written
 * @param bindings fields of every line, such as `{ worker: 2 }`
 * @param output stderr unless a test wants to read along
 */
export function createLogger(level: LogLevel, bindings: object = {}, output: LogOutput = standardError()): Logger {
  const write = output.terminal ? readableLines(bindings, output) : jsonLines(bindings, output);
  const least = level === 'silent' ? severities.length : severities.indexOf(level);
  const at =
    (severity: Severity) =>
    (text: string, fields?: object): void => {
      if (severities.indexOf(severity) < least) return;
      write(severity, redactText(text), fields === undefined ? undefined : redactFields(fields));
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

type WriteLine = (severity: Severity, text: string, fields: Record<string, unknown> | undefined) => void;

function jsonLines(bindings: object, output: LogOutput): WriteLine {
  const log = pino(
    {
      level: 'debug',
      base: { pid: process.pid, hostname: hostname(), ...redactFields(bindings) },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    output,
  );
  return (severity, text, fields) => {
    if (fields === undefined) log[severity](text);
    else log[severity](fields, text);
  };
}

function readableLines(bindings: object, output: LogOutput): WriteLine {
  const always = Object.entries(redactFields(bindings));
  return (severity, text, fields) => {
    const time = new Date().toTimeString().slice(0, 8);
    const pairs = [...always, ...Object.entries(fields ?? {})].filter(([, value]) => value !== undefined);
    const rest = pairs.map(([name, value]) => ` ${name}=${readable(value)}`).join('');
    output.write(`${time} ${severity.padEnd(5)} ${printable(text).replaceAll('\n', '\\n')}${printable(rest)}\n`);
  };
}

function readable(value: unknown): string {
  if (typeof value === 'string') return /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
  if (typeof value === 'object' && value !== null && 'stack' in value && typeof value.stack === 'string') return value.stack;
  return JSON.stringify(value);
}

/** Control characters must not reach a terminal; newlines stay, for the stacks of errors. */
function printable(text: string): string {
  return text.replace(
    /[\x00-\x09\x0b-\x1f\x7f-\x9f]/g,
    (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}

function standardError(): LogOutput {
  if (process.stderr.isTTY) return { terminal: true, write: (line) => void process.stderr.write(line) };
  // Synchronous, and it waits for a slow reader, so that a fatal line is out before the process is.
  const file = pino.destination({ fd: 2, sync: true, maxLength: 1 << 20 });
  // Whoever read our stderr has gone: nothing to tell anybody any more, and no reason to fall or to keep lines.
  file.on('error', () => {});
  return { terminal: false, write: (line) => void file.write(line) };
}
