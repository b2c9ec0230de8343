// Tells the service manager how the program is (sd_notify(3)): ready, reloading, stopping, alive.
//
// The manager listens on a datagram socket in the file system, a kind of socket that Node does not have. So a small program
// sends each message: systemd-notify, which is there wherever systemd is, or else perl, which Debian's base has (containers
// that are run with a manager outside have only that). The messages are few; without a manager none is sent.
import { spawn } from 'node:child_process';
import type { Logger } from '../observe/logger.js';

export interface Notifier {
  /** @param status a line for people */
  ready(status: string): void;
  reloading(): void;
  stopping(): void;
  /** Every message so far has been sent, or could not be. */
  flush(): Promise<void>;
}

/** @param send takes the assignments of one message, e.g. `READY=1` */
type Send = (assignments: readonly string[]) => Promise<boolean>;

const nothing: Notifier = { ready() {}, reloading() {}, stopping() {}, flush: () => Promise.resolve() };

const perlProgram = `use Socket; my ($path, $text) = @ARGV; $path =~ s/^\\@/\\0/;
socket(my $s, AF_UNIX, SOCK_DGRAM, 0) or exit 1;
defined(send($s, $text, 0, pack_sockaddr_un($path))) or exit 1;`;

/** Longest time that a sender may take, in milliseconds: longer than systemd-notify waits for the manager to take note. */
const patience = 10_000;

/**
 * Makes the notifier that the environment asks for: `NOTIFY_SOCKET`, and `WATCHDOG_USEC` with `WATCHDOG_PID` for signs of life.
 * @param alive asked at each sign of life; none is sent while it is false, so that the manager starts the program anew
 */
export function createNotifier(env: NodeJS.ProcessEnv, logger: Logger, alive: () => boolean): Notifier {
  const path = env.NOTIFY_SOCKET ?? '';
  if (path === '') return nothing;
  let queue = Promise.resolve();
  let failed = false;
  const send: Send = senderFor(path, env);
  const enqueue = (...assignments: string[]): void => {
    queue = queue.then(async () => {
      if ((await send(assignments)) || failed) return;
      failed = true;
      logger.warn(
        `The service manager at ${path} could not be told ${assignments[0]}: systemd-notify or perl is needed for that`,
      );
    });
  };
  const beat = watchdogInterval(env);
  if (beat > 0) {
    setInterval(() => {
      if (alive()) enqueue('WATCHDOG=1');
    }, beat).unref();
  }
  return {
    ready: (status) => enqueue('READY=1', `STATUS=${oneLine(status)}`),
    // Monotonic microseconds, which the manager compares with its own (Type=notify-reload).
    reloading: () => enqueue('RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`),
    stopping: () => enqueue('STOPPING=1', 'STATUS=Finishing what is running'),
    flush: () => queue,
  };
}

/** Half of the time after which the manager gives the program up; 0: it does not watch. In milliseconds. */
function watchdogInterval({ WATCHDOG_USEC: limit, WATCHDOG_PID: pid }: NodeJS.ProcessEnv): number {
  if (pid !== undefined && pid !== '' && Number(pid) !== process.pid) return 0;
  const microseconds = Number(limit);
  return Number.isFinite(microseconds) && microseconds > 0 ? Math.max(10, Math.floor(microseconds / 2000)) : 0;
}

function senderFor(path: string, env: NodeJS.ProcessEnv): Send {
  const ways: readonly ((assignments: readonly string[]) => Promise<boolean>)[] = [
    (assignments) => run('systemd-notify', [...assignments], env),
    (assignments) => run('perl', ['-e', perlProgram, path, assignments.join('\n')], env),
  ];
  let known: Send | null = null;
  return async (assignments) => {
    if (known !== null && (await known(assignments))) return true;
    for (const way of ways) {
      if (way === known || !(await way(assignments))) continue;
      known = way;
      return true;
    }
    return false;
  };
}

function run(program: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: 'ignore', env, timeout: patience, killSignal: 'SIGKILL' });
    child.once('error', () => resolve(false));
    child.once('exit', (code) => resolve(code === 0));
  });
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
