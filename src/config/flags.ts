// Settings from the command line. They win over the file and the environment.
import type { Draft } from './draft.js';

/** Options of the command line that are settings, as their texts. */
export interface Flags {
  readonly workers?: string;
  readonly uid?: string;
  readonly gid?: string;
  readonly verbose?: boolean;
  readonly quiet?: boolean;
}

/** Puts the options that were given into the draft. */
export function applyFlags(draft: Draft, { workers, uid, gid, verbose, quiet }: Flags): void {
  const put = (path: string, value: unknown, key: string) => draft.set(path, value, { key, source: 'command line' });
  if (workers !== undefined) put('server.workers', workers, '--workers');
  if (uid !== undefined) put('user', uid, '--uid');
  if (gid !== undefined) put('group', gid, '--gid');
  if (verbose === true) put('logLevel', 'debug', '--verbose');
  if (quiet === true) put('logLevel', 'error', '--quiet');
}
