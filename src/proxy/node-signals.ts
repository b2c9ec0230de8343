// The signals of a node: SIGTERM and SIGINT finish and exit, SIGUSR1 reopens the logs, SIGHUP reloads, SIGUSR2 replaces the workers.
import { constants } from 'node:os';
import { performance } from 'node:perf_hooks';
import type { Logger } from '../observe/logger.js';

export type StopSignal = 'SIGINT' | 'SIGTERM';

/** What a program does on signals. */
export interface SignalActions {
  reopenLogs(): void;
  /** Takes the configuration over as it stands now. */
  reload(): void;
  /** Replaces the processes that serve. */
  roll(): void;
  /** A second stop signal: whoever sent it does not want to wait. The process exits right after, with 128 + signal number. */
  stopNow(): void;
}

/**
 * Milliseconds in which a further stop signal is an echo of the first: Ctrl-C reaches the whole process group, and npm or
 * a shell passes on what it got, so that one press arrives twice.
 */
const echoTime = 500;

/**
 * Listens from now on. A handler of its own for SIGUSR1 also keeps Node from opening its debugger on that signal.
 * @returns a promise of the first stop signal
 */
export function listenForSignals(actions: SignalActions, logger: Logger): Promise<StopSignal> {
  process.on('SIGUSR1', () => {
    logger.info('Caught a SIGUSR1 signal, reopening the log file.');
    actions.reopenLogs();
  });
  process.on('SIGHUP', () => {
    logger.info('Caught a SIGHUP signal, reading the configuration again.');
    actions.reload();
  });
  process.on('SIGUSR2', () => {
    logger.info('Caught a SIGUSR2 signal, replacing the workers.');
    actions.roll();
  });
  return new Promise((resolve) => {
    let stoppingSince = 0;
    const stop = (signal: StopSignal) => {
      const now = performance.now();
      if (stoppingSince > 0) {
        if (now - stoppingSince < echoTime) return;
        logger.warn(`Caught a second stop signal (${signal}), ending at once`);
        actions.stopNow();
        process.exit(128 + constants.signals[signal]);
      }
      stoppingSince = now;
      // Keeps the process here until an echo has come: met while it is exiting, it would be the cause of its end.
      if (signal === 'SIGINT') setTimeout(() => {}, echoTime);
      logger.info(`Caught a ${signal} signal, finishing what is running`);
      resolve(signal);
    };
    process.on('SIGINT', stop);
    process.on('SIGTERM', stop);
  });
}

/** For workers: signals that the terminal or `killall` sends to the whole group are for the supervisor, which passes on what matters. */
export function leaveSignalsToSupervisor(): void {
  for (const signal of ['SIGINT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const) {
    process.on(signal, () => {});
  }
}
