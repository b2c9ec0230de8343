// A changed file of addresses is seen whatever else the process does, and one that cannot be looked at stays in force.
import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, open, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { BlocklistFile } from '../../../src/limits/blocklist-file.js';
import { eventually } from '../../helpers/eventually.js';
import { recordingLogger } from '../../helpers/recording-logger.js';

const folder = mkdtempSync(join(tmpdir(), 'blocklist-file-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** More jobs than the thread pool has threads (4 unless told otherwise); each waits for somebody who writes to a pipe. */
const jobs = 16;

async function withFullThreadPool(act: () => Promise<void>): Promise<void> {
  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  const waiting = Array.from(
    { length: jobs },
    () =>
      new Promise<void>((resolve, reject) => {
        open(pipe, constants.O_RDONLY, (error, file) => {
          if (error !== null) return reject(error);
          closeSync(file);
          resolve();
        });
      }),
  );
  try {
    await act();
  } finally {
    const writer = openSync(pipe, constants.O_RDWR);
    await Promise.all(waiting);
    closeSync(writer);
  }
}

it('is seen to be replaced while the thread pool is full of names that do not resolve', async () => {
  const path = join(folder, 'replaced');
  writeFileSync(path, '127.0.0.21\n');
  let changes = 0;
  const list = new BlocklistFile(path, recordingLogger().logger, () => changes++);
  await withFullThreadPool(async () => {
    list.start();
    writeFileSync(`${path}.new`, '127.0.0.22\n');
    renameSync(`${path}.new`, path);
    await eventually('the new one to be read', () => list.addresses.has('127.0.0.22'));
  });
  list.close();
  expect(list.addresses.has('127.0.0.21')).toBe(false);
  expect(changes).toBeGreaterThan(0);
});

it('stays in force while it cannot be looked at, which is told once, and is read when it is back', async () => {
  const path = join(folder, 'gone');
  writeFileSync(path, '127.0.0.21\n');
  const { logger, lines } = recordingLogger();
  const list = new BlocklistFile(path, logger, () => {});
  list.start();
  renameSync(path, `${path}.away`);
  await eventually('it to be told', () => lines.length > 0);
  expect(list.addresses.has('127.0.0.21')).toBe(true);
  writeFileSync(path, '127.0.0.23\n');
  await eventually('it to be read', () => list.addresses.has('127.0.0.23'));
  list.close();
  expect(lines.map(({ msg }) => msg)).toEqual([`${path}: it cannot be read (ENOENT); what it said before stays in force`]);
});
