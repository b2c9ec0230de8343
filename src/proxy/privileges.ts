// Giving up root: whom a process becomes once its ports are open, and proof that it can not go back.
import { StartError } from '../errors/start-error.js';
import type { Logger } from '../observe/logger.js';

/** An account and a group of this machine, by name (or number) and by number. */
export interface Identity {
  readonly user: string;
  readonly group: string;
  readonly uid: number;
  readonly gid: number;
}

/** Node has it; its type declarations leave it out. */
const system = process as NodeJS.Process & { initgroups(user: string, extraGroup: number): void };

/**
 * Finds out whom a process started as root shall become.
 * @param user name or number; empty, `root` or `0`: stay root
 * @param group name or number; empty: as the user
 * @returns null where nothing is to be dropped: not started as root, or told to stay
 * @throws StartError for an unknown user or group
 */
export function resolveIdentity(user: string, group: string): Identity | null {
  if (process.getuid?.() !== 0 || user === '' || user === 'root' || user === '0') {
    return null;
  }
  const groupName = group === '' ? user : group;
  return { user, group: groupName, uid: lookUp('user', user), gid: lookUp('group', groupName) };
}

/**
 * Becomes an identity for good: the user's own supplementary groups instead of those of root, then group, then user.
 * To be called when every port, key and log is open.
 * @throws StartError if the system refuses, or if what it says afterwards differs from what was asked
 */
export function dropPrivileges(identity: Identity, logger: Logger): void {
  const { user, group, uid, gid } = identity;
  try {
    if (/^\d+$/.test(user)) {
      process.setgroups!([gid]);
    } else {
      system.initgroups(user, gid);
    }
    process.setgid!(gid);
    // An account may be listed as a member of root's group; a process that reads the network has no business there.
    process.setgroups!(process.getgroups!().filter((id) => id !== 0 || gid === 0));
    process.setuid!(uid);
  } catch (error) {
    throw new StartError(`cannot become ${user}:${group}: ${reason(error)}`, error);
  }
  verify(identity);
  logger.info(`Dropping privileges to ${user}:${group}`);
}

/** Asks the system rather than trusting the calls above: a half-dropped process is worse than one that does not start. */
function verify({ user, group, uid, gid }: Identity): void {
  const users = [process.getuid!(), process.geteuid!()];
  const groups = [process.getgid!(), process.getegid!()];
  const root = gid !== 0 && process.getgroups!().includes(0);
  if (users.some((id) => id !== uid) || groups.some((id) => id !== gid) || root || (uid !== 0 && canBecomeRoot())) {
    throw new StartError(`privileges could not be dropped to ${user}:${group}: the process still has rights of root`);
  }
}

function canBecomeRoot(): boolean {
  try {
    process.setuid!(0);
    return true;
  } catch {
    return false;
  }
}

/**
 * Number of an account or group. Node has no look-up by name, so the C library is asked by taking the identity on for a
 * moment: that honours LDAP and other sources that /etc/passwd does not show.
 */
function lookUp(kind: 'user' | 'group', name: string): number {
  if (/^\d+$/.test(name)) {
    return Number(name);
  }
  const before = kind === 'user' ? process.geteuid!() : process.getegid!();
  try {
    if (kind === 'user') {
      process.seteuid!(name);
      return process.geteuid!();
    }
    process.setegid!(name);
    return process.getegid!();
  } catch (error) {
    throw new StartError(
      `there is no ${kind} "${name}" on this machine: set "${kind}" to one that exists${kind === 'user' ? ', or to "root" to stay root' : ''}`,
      error,
    );
  } finally {
    if (kind === 'user') {
      process.seteuid!(before);
    } else {
      process.setegid!(before);
    }
  }
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
