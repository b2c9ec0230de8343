// The program that makes and removes DNS records for `dns-01`: run without a shell, told everything by its environment, ended in time.
import { spawn } from 'node:child_process';

/** What is to be done to one TXT record. */
export interface DnsChange {
  readonly action: 'present' | 'cleanup';
  /** The name that is proved, e.g. `*.example.com`. */
  readonly domain: string;
  /** E.g. `_acme-challenge.example.com`. */
  readonly record: string;
  readonly value: string;
}

export interface DnsHookOptions {
  readonly program: string;
  /** Milliseconds. */
  readonly timeout: number;
  /** Ends it early. */
  readonly signal: AbortSignal;
}

/** Of what it complains with. */
const mostText = 300;
/** Milliseconds between the request to end and the end. */
const grace = 2_000;

/** Resolves when the program has ended well, which says that the record can be seen. Rejects with an Error in one line. */
export function runDnsHook(change: DnsChange, { program, timeout, signal }: DnsHookOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(new Error('nobody waits for it any more'));
      return;
    }
    const child = spawn(program, [], { env: environmentOf(change), stdio: ['ignore', 'ignore', 'pipe'], shell: false });
    let complaint = '';
    let ending = '';
    let killer: NodeJS.Timeout | null = null;
    const end = (why: string): void => {
      if (ending !== '') return;
      ending = why;
      child.kill('SIGTERM');
      killer = setTimeout(() => child.kill('SIGKILL'), grace);
    };
    const timer = setTimeout(() => end(`did not end within ${timeout} ms`), timeout);
    const abandoned = (): void => end('was ended: nobody waits for it any more');
    signal.addEventListener('abort', abandoned, { once: true });
    const done = (what: string): void => {
      clearTimeout(timer);
      if (killer !== null) clearTimeout(killer);
      signal.removeEventListener('abort', abandoned);
      if (what === '') resolve();
      else reject(new Error(`acme.dnsHook ${program} (${change.action}) ${what}`));
    };
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      if (complaint.length < mostText) complaint = (complaint + text).slice(0, mostText);
    });
    child.once('error', (error: NodeJS.ErrnoException) => done(`cannot be started: ${error.code ?? error.message}`));
    // Not 'close': a process that it left behind may hold its stderr open.
    child.once('exit', (code, killed) => {
      if (ending !== '') done(ending);
      else if (code === 0) done('');
      else done(`ended with ${code === null ? killed : `code ${code}`}: ${complaint.replace(/\s+/g, ' ').trim()}`);
    });
  });
}

/** What it was started with stays: credentials of a DNS provider come that way. Our own settings, which hold secrets, do not. */
function environmentOf({ action, domain, record, value }: DnsChange): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('CJS_PROXY_'));
  return {
    ...Object.fromEntries(inherited),
    ACME_ACTION: action,
    ACME_DOMAIN: domain,
    ACME_RECORD_NAME: record,
    ACME_RECORD_VALUE: value,
  };
}
