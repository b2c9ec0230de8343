// `cjs-proxy tcp`: a TCP multiplexer as Proximux, told by environment variables alone.
import { StartError } from '../../errors/start-error.js';

/**
 * Serves until SIGTERM or SIGINT.
 * @param warmup connects to all upstream servers before it listens
 * @returns the exit code
 * @throws StartError with one clear line for a variable that is missing or wrong, and for what keeps it from starting
 */
export async function tcp(env: Readonly<Record<string, string | undefined>>, warmup: boolean): Promise<number> {
  // Loaded here, so that the other commands need no listeners.
  const { Proximux } = await import('../../library/proximux.js');
  const { ProximuxConfigError, readProximuxEnvironment } = await import('../../library/proximux-config.js');
  const stopped = new Promise<void>((resolve) => {
    process.once('SIGTERM', () => resolve());
    process.once('SIGINT', () => resolve());
  });
  try {
    const proximux = new Proximux(warmup, readProximuxEnvironment(env));
    await proximux.run();
    await stopped;
    await proximux.stop();
    return 0;
  } catch (error) {
    throw error instanceof ProximuxConfigError ? new StartError(error.message, error) : error;
  }
}
