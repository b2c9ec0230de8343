// Where the programs are that tests need beyond Node: some of them Debian keeps out of a user's path.
import { readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The path of this process, and behind it the folders of servers. */
export const programPath = [process.env.PATH ?? '', '/usr/sbin', ...postgresFolders()].join(delimiter);

/** Of all versions that are installed. */
function postgresFolders(): string[] {
  const versions = '/usr/lib/postgresql';
  try {
    return readdirSync(versions).map((version) => join(versions, version, 'bin'));
  } catch {
    return [];
  }
}
