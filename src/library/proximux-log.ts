// The log of Proximux: JSON lines `{t, s, l, d}`, or `e` in the place of `d` for an error; addresses are masked.

/** What programs that listen to events are given to write with. */
export interface ProximuxLogger {
  debug(text: string): void;
  info(text: string): void;
  error(error: unknown): void;
}

/** Where lines go: information to the first, errors to the second. */
export interface ProximuxOutput {
  readonly out: (line: string) => void;
  readonly err: (line: string) => void;
}

const standard: ProximuxOutput = {
  out: (line) => void process.stdout.write(line),
  err: (line) => void process.stderr.write(line),
};

/**
 * @param level 0 nothing, 1 errors, 2 information too, 3 everything
 * @param subject what the lines are about, e.g. `proximux` or `client 7`
 */
export function createProximuxLogger(level: number, subject: string, output: ProximuxOutput = standard): ProximuxLogger {
  const line = (name: string, rest: { readonly d?: string; readonly e?: string }): string =>
    `${JSON.stringify({ t: new Date().toISOString(), s: subject, l: name, ...rest })}\n`;
  return {
    debug: (text) => {
      if (level >= 3) output.out(line('debug', { d: maskAddresses(text) }));
    },
    info: (text) => {
      if (level >= 2) output.out(line('info', { d: maskAddresses(text) }));
    },
    error: (error) => {
      if (level >= 1) output.err(line('error', { e: maskAddresses(error instanceof Error ? error.message : String(error)) }));
    },
  };
}

const ipv4 = /\b(\d{1,3}\.\d{1,3})\.\d{1,3}\.\d{1,3}\b/g;
/** Three groups at least, so that a time of day with its colons is left alone; `::1` says nothing about anybody. */
const ipv6 = /(?<![\w:.])([0-9a-f]{1,4}:[0-9a-f]{1,4}):(?=[0-9a-f:]*:)[0-9a-f:]+(?![\w:])/gi;

/** `1.2.3.4` becomes `1.2.x.x`, `2001:db8:1::5` becomes `2001:db8:x:x`. */
export function maskAddresses(text: string): string {
  return text.replace(ipv4, '$1.x.x').replace(ipv6, '$1:x:x');
}
