import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Config } from '../../../src/config/config.js';
import { StartError } from '../../../src/errors/start-error.js';
import type { WorkerEvents } from '../../../src/proxy/fork-worker.js';
import { Supervisor } from '../../../src/proxy/supervisor.js';
import { testConfig } from '../../helpers/start-proxy.js';

const address = { address: '127.0.0.1', port: 8080, secure: false };
const silent = { debug() {}, info() {}, warn() {}, error() {} };

/** Workers are played: those that are ordered to drain leave at once if `obedient`, killed ones always do. */
function playSupervisor({ workers = 2, obedient = true, workerExits = 0 } = {}) {
  const processes: WorkerEvents[] = [];
  const killed: number[] = [];
  const config: Config = { ...testConfig(), server: { ...testConfig().server, workers, workerExits, drainTimeout: 5_000 } };
  const supervisor = new Supervisor(
    config,
    (events) => {
      const index = processes.push(events) - 1;
      let gone = false;
      const once: WorkerEvents = {
        said: events.said,
        gone: (how) => {
          if (!gone) events.gone(how);
          gone = true;
        },
      };
      processes[index] = once;
      return {
        pid: index + 1,
        send: (order) => {
          if ((order.kind === 'drain' || order.kind === 'yield') && obedient) queueMicrotask(() => once.gone('exit code 0'));
        },
        kill: () => {
          killed.push(index);
          queueMicrotask(() => once.gone('signal SIGKILL'));
        },
      };
    },
    silent,
    { id: 'one', boot: 'first', pid: 1, startedAt: 0 },
  );
  const nth = (index: number): WorkerEvents => processes[index] ?? expect.fail(`there is no process ${index}`);
  return { supervisor, processes, killed, nth };
}

describe('a supervisor', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('has started when every worker serves', async () => {
    const { supervisor, nth } = playSupervisor();
    let addresses: unknown = null;
    void supervisor.start().then((value) => {
      addresses = value;
    });
    nth(0).said({ kind: 'serving', addresses: [address] });
    await vi.advanceTimersByTimeAsync(1);
    expect(addresses).toBeNull();
    nth(1).said({ kind: 'serving', addresses: [address] });
    await vi.advanceTimersByTimeAsync(1);
    expect(addresses).toEqual([address]);
  });

  it('gives up with the reason of the first worker that cannot start, when the others have left', async () => {
    const { supervisor, processes, nth } = playSupervisor();
    const started = supervisor.start();
    nth(0).said({ kind: 'serving', addresses: [address] });
    nth(1).said({ kind: 'refused', message: 'cannot listen on 127.0.0.1:80: busy' });
    nth(1).gone('exit code 1');
    await expect(started).rejects.toEqual(new StartError('cannot listen on 127.0.0.1:80: busy'));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(processes).toHaveLength(2);
  });

  it('gives up when a worker crashes before it serves', async () => {
    const { supervisor, nth } = playSupervisor({ workers: 1 });
    const started = supervisor.start();
    nth(0).gone('signal SIGSEGV');
    await expect(started).rejects.toEqual(new StartError('worker ended during its start (signal SIGSEGV)'));
  });

  it('replaces a worker that crashes after it served, also while others still start', async () => {
    const { supervisor, processes, nth } = playSupervisor();
    const started = supervisor.start();
    nth(0).said({ kind: 'serving', addresses: [address] });
    nth(0).gone('signal SIGKILL');
    nth(1).said({ kind: 'serving', addresses: [address] });
    expect(await started).toEqual([address]);
    await vi.advanceTimersByTimeAsync(200);
    expect(processes).toHaveLength(3);
  });

  it('keeps trying when a replacement cannot listen', async () => {
    const { supervisor, processes, nth } = playSupervisor({ workers: 1 });
    const started = supervisor.start();
    nth(0).said({ kind: 'serving', addresses: [address] });
    await started;
    nth(0).gone('signal SIGKILL');
    await vi.advanceTimersByTimeAsync(100);
    nth(1).said({ kind: 'refused', message: 'cannot listen' });
    nth(1).gone('exit code 1');
    await vi.advanceTimersByTimeAsync(200);
    expect(processes).toHaveLength(3);
  });

  /** Has a worker end as soon as it serves, until no other one is started. @returns how many were */
  async function endAgainAndAgain({ nth, processes }: ReturnType<typeof playSupervisor>, times: number): Promise<number> {
    for (let turn = 0; turn < times; turn++) {
      nth(turn).said({ kind: 'serving', addresses: [address] });
      nth(turn).gone('signal SIGKILL');
      const before = processes.length;
      for (let waited = 0; waited < 120 && processes.length === before; waited++) await vi.advanceTimersByTimeAsync(100);
      if (processes.length === before) break;
    }
    return processes.length;
  }

  it('gives up where server.workerExits says so, when so many have ended within a minute', async () => {
    const played = playSupervisor({ workers: 1, workerExits: 7 });
    void played.supervisor.start();
    const gaveUp = expect(played.supervisor.gaveUp).rejects.toEqual(new StartError('7 workers have exited within one minute'));
    expect(await endAgainAndAgain(played, 12)).toBe(7);
    await gaveUp;
  });

  it('goes on as long as it runs where nothing says so, and where they end more slowly', async () => {
    const never = playSupervisor({ workers: 1 });
    void never.supervisor.start();
    expect(await endAgainAndAgain(never, 20)).toBe(21);
    // From the eighth on a restart waits for 5 to 10 seconds.
    const slowly = playSupervisor({ workers: 1, workerExits: 20 });
    void slowly.supervisor.start();
    expect(await endAgainAndAgain(slowly, 30)).toBe(31);
    await Promise.all([never.supervisor.stop(), slowly.supervisor.stop()]);
  });

  it('kills workers that overstay the drain timeout', async () => {
    const { supervisor, killed, nth } = playSupervisor({ obedient: false });
    const started = supervisor.start();
    nth(0).said({ kind: 'serving', addresses: [address] });
    nth(1).said({ kind: 'serving', addresses: [address] });
    await started;
    let stopped = false;
    void supervisor.stop().then(() => {
      stopped = true;
    });
    nth(0).gone('exit code 0');
    await vi.advanceTimersByTimeAsync(5_000);
    expect(killed).toEqual([]);
    expect(stopped).toBe(false);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(killed).toEqual([1]);
    expect(stopped).toBe(true);
  });

  it('can be stopped while it starts', async () => {
    const { supervisor } = playSupervisor();
    const started = supervisor.start();
    await supervisor.stop();
    expect(await started).toEqual([]);
  });

  /** Two workers that serve. */
  async function playServing() {
    const played = playSupervisor();
    const started = played.supervisor.start();
    for (const worker of [0, 1]) played.nth(worker).said({ kind: 'serving', addresses: [address] });
    await started;
    return played;
  }

  it('goes over to another configuration when all workers with it serve, and not before', async () => {
    const { supervisor, processes, nth } = await playServing();
    const gone: number[] = [];
    for (const worker of [0, 1]) {
      const { gone: tell } = nth(worker);
      const note = (how: string): void => {
        gone.push(worker);
        tell(how);
      };
      Object.assign(nth(worker), { gone: note });
    }
    const next: Config = { ...testConfig(), server: { ...testConfig().server, workers: 3 } };
    const reloaded = supervisor.reload(next);
    await vi.advanceTimersByTimeAsync(1);
    expect(processes).toHaveLength(5);
    for (const worker of [2, 3]) nth(worker).said({ kind: 'serving', addresses: [address] });
    await vi.advanceTimersByTimeAsync(1);
    expect(gone).toEqual([]);
    nth(4).said({ kind: 'serving', addresses: [address] });
    expect(await reloaded).toEqual([address]);
    await vi.advanceTimersByTimeAsync(1);
    expect(gone).toEqual([0, 1]);
  });

  it('keeps its workers when those with another configuration cannot start', async () => {
    const { supervisor, processes, nth, killed } = await playServing();
    const refused = expect(supervisor.reload(testConfigWith(1))).rejects.toEqual(new StartError('cannot listen'));
    await vi.advanceTimersByTimeAsync(1);
    nth(2).said({ kind: 'refused', message: 'cannot listen' });
    nth(2).gone('exit code 1');
    await refused;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(processes).toHaveLength(3);
    expect(killed).toEqual([]);
    expect(supervisor.alive).toBe(true);
  });

  it('makes one change after the other, and none once it stops', async () => {
    const { supervisor, processes, nth } = await playServing();
    const [first, second] = [supervisor.reload(testConfigWith(1)), supervisor.reload(testConfigWith(1))];
    await vi.advanceTimersByTimeAsync(1);
    expect(processes).toHaveLength(3);
    nth(2).said({ kind: 'serving', addresses: [address] });
    await first;
    await vi.advanceTimersByTimeAsync(1);
    expect(processes).toHaveLength(4);
    await supervisor.stop();
    expect(await second).toEqual([]);
    expect(await supervisor.reload(testConfigWith(1))).toEqual([]);
    expect(await supervisor.roll()).toBe(false);
    expect(processes).toHaveLength(4);
  });
});

function testConfigWith(workers: number): Config {
  return { ...testConfig(), server: { ...testConfig().server, workers } };
}
