// Watches the resident memory of this process and tells when it is over the limit.

/** A running watch. */
export interface MemoryMonitor {
  stop(): void;
}

/** How often it looks, and where; tests pass their own. */
export interface MemoryMonitorOptions {
  /** Milliseconds between two looks. */
  readonly interval?: number;
  /** Resident bytes of the process. */
  readonly read?: () => number;
}

/**
 * Tells at every look that finds the process over the limit, because whoever is told may not be able to act the first time.
 * @param limit resident bytes
 * @param onOver is given the resident bytes
 */
export function watchMemory(limit: number, onOver: (rss: number) => void, options: MemoryMonitorOptions = {}): MemoryMonitor {
  const read = options.read ?? process.memoryUsage.rss;
  const timer = setInterval(() => {
    const rss = read();
    if (rss > limit) {
      onOver(rss);
    }
  }, options.interval ?? 5_000);
  // A watch is no reason to stay alive.
  timer.unref();
  return { stop: () => clearInterval(timer) };
}
