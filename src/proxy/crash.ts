// What a process does about an error that nobody handled: say all about it and end, because its state can no longer be trusted.
import type { Logger } from '../observe/logger.js';

/** Logs an uncaught exception or unhandled rejection with its stack and exits with code 1. */
export function crashOnUncaught(logger: Logger): void {
  // 'uncaughtException' is told of unhandled rejections too, as long as nobody listens for those.
  process.on('uncaughtException', (error, origin) => {
    const reason = error instanceof Error ? error.message : String(error);
    logger.error(`This process ends because of an error that nobody handled: ${reason}`, { origin, error });
    process.exit(1);
  });
}
