// Starts worker processes with node:cluster and tells what becomes of them.
import cluster from 'node:cluster';
import type { FromWorker, ToWorker } from './worker-messages.js';

/** A worker process that was started. */
export interface WorkerHandle {
  /** 0 if the system could not start it. */
  readonly pid: number;
  /** Sends an order; one to a process that is gone is dropped. */
  send(order: ToWorker): void;
  kill(): void;
}

/** What a worker process does. `gone` is told once, after everything that it had said. */
export interface WorkerEvents {
  said(message: FromWorker): void;
  /** @param how for people: `exit code 1`, `signal SIGKILL` */
  gone(how: string): void;
}

export type ForkWorker = (events: WorkerEvents) => WorkerHandle;

/**
 * Prepares the cluster.
 * @param program file that each worker runs
 */
export function createForkWorker(program: string): ForkWorker {
  // Workers accept on the listening socket that all of them share, and the kernel wakes one. Round robin, the default, accepts
  // in the supervisor and passes each connection on: measured twice as dear where every request has a connection of its own.
  cluster.schedulingPolicy = cluster.SCHED_NONE;
  // A worker has a core of its own: more threads that compile and collect for it than one besides would only hold memory (5 MiB).
  // Young objects need no more room than that; by default both halves of it grow to 16 MiB where much is kept, and are not given back.
  const execArgv = ['--v8-pool-size=2', '--max-semi-space-size=8', ...process.execArgv];
  // What is counted travels as bytes, which JSON does not know.
  cluster.setupPrimary({ exec: program, args: [], execArgv, serialization: 'advanced' });
  return (events) => {
    const worker = cluster.fork();
    const { process: child } = worker;
    let gone = false;
    const lose = (how: string) => {
      if (!gone) {
        gone = true;
        events.gone(how);
      }
    };
    worker.on('message', (message: FromWorker) => events.said(message));
    // 'close' and not 'exit': it comes when the channel has been read to its end, so that last words are heard first.
    child.on('close', (code, signal) => lose(signal === null ? `exit code ${code}` : `signal ${signal}`));
    worker.on('error', (error) => {
      if (child.pid === undefined) {
        lose(`it could not be started: ${error.message}`);
      }
    });
    return {
      pid: child.pid ?? 0,
      // With a callback an order to a process that has just gone is no error.
      send: (order) => void worker.send(order, () => {}),
      kill: () => void child.kill('SIGKILL'),
    };
  };
}
