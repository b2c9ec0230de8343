// Hands the access log file to the account that workers run as, so that they can open it again after root is given up.
import { closeSync, constants, fchownSync, fstatSync, openSync } from 'node:fs';
import type { Logger } from '../observe/logger.js';
import type { Identity } from './privileges.js';

/**
 * Creates the file if it is missing and gives it to the identity. Called as root, before workers start and before each
 * reopening (a rotated log is a new file). What cannot be opened is left to the access log itself, which says why.
 *
 * Root follows no symbolic link here and changes no file that has a second name: whoever may write to the log's folder
 * could otherwise be given any file of the machine.
 *
 * @param target path, `stdout` or `none`, as in the configuration
 */
export function handOverAccessLog(target: string, identity: Identity | null, logger: Logger): void {
  if (identity === null || target === 'stdout' || target === 'none') {
    return;
  }
  let descriptor: number;
  try {
    const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    descriptor = openSync(target, flags, 0o644);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ELOOP') {
      logger.warn(`The access log ${target} is a symbolic link: its owner is left as it is`);
    }
    return;
  }
  try {
    const stat = fstatSync(descriptor);
    if (stat.uid === identity.uid || !stat.isFile()) {
      return;
    }
    if (stat.nlink > 1) {
      logger.warn(`The access log ${target} has a second name (hard link): its owner is left as it is`);
      return;
    }
    fchownSync(descriptor, identity.uid, identity.gid);
  } finally {
    closeSync(descriptor);
  }
}
