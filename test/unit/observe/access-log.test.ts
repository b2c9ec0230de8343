import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StartError } from '../../../src/errors/start-error.js';
import { type AccessRecord, emptyAccessRecord } from '../../../src/observe/access-line.js';
import { type AccessLog, createAccessLog } from '../../../src/observe/access-log.js';
import { eventually } from '../../helpers/eventually.js';

let folder: string;
let path: string;
let log: AccessLog | null;
let told: string[];

const logger = {
  debug: () => {},
  info: (text: string) => void told.push(`info ${text}`),
  warn: (text: string) => void told.push(`warn ${text}`),
  error: () => {},
};
const format = (record: AccessRecord) => `${record.target}\n`;
const open = (destination = path, flushInterval = 10) => {
  log = createAccessLog({ destination, format, log: logger, flushInterval });
  return log;
};
const record = emptyAccessRecord();
const write = (to: AccessLog, target: string) => {
  record.target = target;
  to.write(record);
};
const lines = (file = path) => readFileSync(file, 'latin1').split('\n').slice(0, -1);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'access-log-'));
  path = join(folder, 'access.log');
  log = null;
  told = [];
});
afterEach(() => {
  log?.close();
  rmSync(folder, { recursive: true });
});

describe('an access log', () => {
  it('writes a line soon, without being asked', async () => {
    write(open(), '/one');
    await eventually('the line', () => lines().length === 1);
    expect(lines()).toEqual(['/one']);
  });

  it('has a file that others may read and only its owner writes', () => {
    open();
    expect(statSync(path).mode & 0o777).toBe(0o644 & ~process.umask());
  });

  it('keeps all lines of a burst in order', async () => {
    const all = Array.from({ length: 20_000 }, (_, at) => `/line-${at}`);
    const busy = open(path, 60_000);
    for (const [at, target] of all.entries()) {
      write(busy, target);
      // A burst goes on while earlier pieces are written.
      if (at % 2000 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    busy.close();
    await eventually('all lines', () => lines().length === all.length);
    expect(lines().sort()).toEqual(all.sort());
    expect(busy.dropped).toBe(0);
  });

  it('writes what is waiting when it is flushed or closed', () => {
    const lazy = open(path, 60_000);
    write(lazy, '/one');
    lazy.flush();
    expect(lines()).toEqual(['/one']);
    write(lazy, '/two');
    lazy.close();
    write(lazy, '/too late');
    lazy.close();
    expect(lines()).toEqual(['/one', '/two']);
  });

  it('takes a line that is longer than its buffers', async () => {
    const huge = `/${'x'.repeat(200_000)}`;
    const patient = open(path, 60_000);
    write(patient, '/before');
    write(patient, huge);
    write(patient, '/after');
    patient.close();
    await eventually('three lines', () => lines().length === 3);
    expect(lines().sort()).toEqual(['/after', '/before', huge]);
  });

  it('never mixes its lines with those of another worker on the same file', async () => {
    const one = open();
    const other = createAccessLog({ destination: path, format, log: logger, flushInterval: 10 });
    const [a, b] = ['a', 'b'].map((letter) => `/${letter.repeat(700)}`) as [string, string];
    for (let at = 0; at < 500; at++) {
      write(one, a);
      write(other, b);
      if (at % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    one.close();
    other.close();
    await eventually('all lines', () => lines().length === 1000);
    expect(lines().filter((line) => line === a)).toHaveLength(500);
    expect(lines().filter((line) => line === b)).toHaveLength(500);
  });

  it('goes on in a new file after a rotation, and loses nothing', async () => {
    const rotated = open(path, 60_000);
    write(rotated, '/one');
    rotated.flush();
    renameSync(path, `${path}.1`);
    write(rotated, '/two');
    rotated.flush();
    rotated.reopen();
    write(rotated, '/three');
    rotated.flush();
    expect(lines(`${path}.1`)).toEqual(['/one', '/two']);
    expect(lines()).toEqual(['/three']);
  });

  it('goes on in the old file when the new one cannot be opened', () => {
    const kept = open(path, 60_000);
    renameSync(folder, `${folder}.moved`);
    kept.reopen();
    write(kept, '/one');
    kept.flush();
    renameSync(`${folder}.moved`, folder);
    expect(lines()).toEqual(['/one']);
    expect(told).toEqual(['warn the access log could not be opened anew; the old file is written on']);
  });

  it('drops and counts lines while the disk is full, warns once, and recovers', async () => {
    symlinkSync('/dev/full', path);
    const full = open();
    write(full, '/lost');
    await eventually('the first loss', () => full.dropped === 1);
    write(full, '/lost too');
    write(full, '/lost as well');
    await eventually('more losses', () => full.dropped === 3);
    expect(told).toEqual(['warn the access log cannot be written; lines are dropped until it can']);
    unlinkSync(path);
    full.reopen();
    write(full, '/kept');
    await eventually('recovery', () => told.length === 2);
    expect(lines()).toEqual(['/kept']);
    expect(told[1]).toBe('info the access log is written again');
  });

  it('that goes nowhere asks for nothing', () => {
    const none = open('none');
    expect(none.enabled).toBe(false);
    write(none, '/one');
    none.reopen();
    none.flush();
  });

  it('to stdout is complete when the process exits, through a slow pipe too', () => {
    const source = (name: string) => JSON.stringify(fileURLToPath(new URL(`../../../src/observe/${name}`, import.meta.url)));
    const program = `
      import { createAccessLog } from ${source('access-log.ts')};
      import { emptyAccessRecord } from ${source('access-line.ts')};
      const log = createAccessLog({ destination: 'stdout', format: (r) => r.target + '\\n', log: console });
      const record = emptyAccessRecord();
      for (let at = 0; at < 3000; at++) { record.target = '/' + at + 'x'.repeat(100); log.write(record); }
      log.close();
      process.exit(0);`;
    const { stdout, status } = spawnSync(
      'sh',
      ['-c', `"${process.execPath}" --import tsx --input-type=module -e "$0" | (sleep 0.3; cat)`, program],
      {
        encoding: 'latin1',
        maxBuffer: 1 << 22,
      },
    );
    expect(status).toBe(0);
    expect(stdout.split('\n').slice(0, -1)).toHaveLength(3000);
  });
});

describe('a file that cannot be opened', () => {
  it.each([
    ['/nonexistent/folder/access.log', 'its directory does not exist'],
    ['/dev', 'it is a directory'],
    ['/dev/null/access.log', 'a part of the path is not a directory'],
  ])('ends the start with one clear line: %s', (destination, why) => {
    let error: unknown;
    try {
      open(destination);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(StartError);
    expect((error as Error).message).toBe(
      `cannot open the access log ${destination}: ${why}; set server.accessLog to a path that can be written, "stdout" or "none"`,
    );
  });
});
