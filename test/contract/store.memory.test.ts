// The memory store: the contract, and its file.
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { StartError } from '../../src/errors/start-error.js';
import { parseBackends } from '../../src/model/parse-backends.js';
import { MemoryStore } from '../../src/store/memory-store.js';
import type { StoreListener } from '../../src/store/store.js';
import { storeContract } from './store.contract.js';

const nobody: StoreListener = { changed: () => undefined, everythingChanged: () => undefined };
let dir: string;
let file: string;
const logged: string[] = [];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'cjs-proxy-memory-'));
  file = join(dir, 'state.json');
  logged.length = 0;
});

afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

const log = (_level: 'error', text: string) => void logged.push(text);

async function started(path: string): Promise<MemoryStore> {
  const store = new MemoryStore(path, log);
  await store.start(nobody);
  return store;
}

storeContract('memory without a file', async () => new MemoryStore(null, log));
storeContract('memory with a file', async () => new MemoryStore(file, log));

describe('the file of the memory store', () => {
  it('keeps frontends over a restart', async () => {
    const first = await started(file);
    await first.writeFrontend('example.com', 'id', ['http://10.0.0.1:80']);
    await first.writeFrontend('__proto__', 'odd', []);
    await first.writeFrontend('gone.com', 'id', []);
    await first.deleteFrontend('gone.com');
    await first.close();
    const second = await started(file);
    const records = await second.readFrontends(['example.com', '__proto__', 'gone.com']);
    expect(records.map((record) => record.list)).toEqual([['id', 'http://10.0.0.1:80'], ['odd'], []]);
    await second.close();
  });

  it('is written within a moment, without a close', async () => {
    const store = await started(file);
    await store.writeFrontend('example.com', 'id', []);
    await vi.waitFor(async () => expect(await readFile(file, 'utf8')).toContain('example.com'));
    await store.close();
  });

  it('is readable by people, and nothing else is left beside it', async () => {
    const store = await started(file);
    for (let round = 0; round < 20; round += 1) await store.writeFrontend(`${round}.com`, 'id', ['http://10.0.0.1:80']);
    await store.close();
    expect(await readdir(dir)).toEqual(['state.json']);
    expect(JSON.parse(await readFile(file, 'utf8')).frontends['7.com']).toEqual(['id', 'http://10.0.0.1:80']);
  });

  it('may have been written by hand', async () => {
    await writeFile(file, '{"frontends": {"example.com": ["id", "http://10.0.0.1:80"]}}');
    const store = await started(file);
    expect((await store.readFrontends(['example.com']))[0]?.list).toEqual(['id', 'http://10.0.0.1:80']);
    await store.close();
  });

  it('may be empty', async () => {
    await writeFile(file, '');
    await (await started(file)).close();
  });

  it.each(['{', '[]', '{"frontends": []}', '{"frontends": {"a.com": "http://b"}}', '{"frontends": {"a.com": [1]}}', '"text"'])(
    'ends the start with one clear line when it holds %s, and is not touched',
    async (text) => {
      await writeFile(file, text);
      const failure = await started(file).then(
        () => null,
        (error: unknown) => error,
      );
      expect(failure).toBeInstanceOf(StartError);
      expect(String(failure)).toContain(file);
      expect(String(failure)).not.toContain('\n');
      expect(await readFile(file, 'utf8')).toBe(text);
    },
  );

  it('ends the start when it is a folder', async () => {
    await expect(started(dir)).rejects.toThrow(StartError);
  });

  it('that cannot be written is told, and what is in memory goes on being served', async () => {
    const store = await started(join(dir, 'missing', 'state.json'));
    await store.writeFrontend('example.com', 'id', []);
    await store.close();
    expect(logged).toEqual([expect.stringContaining('cannot be written')]);
    expect((await store.readFrontends(['example.com']))[0]?.list).toEqual(['id']);
  });
});

describe('maintenance in the memory store (D.4 requirement 20)', () => {
  it('is kept over a restart, and other marks are not', async () => {
    const { backends } = parseBackends(['http://10.0.0.1:80', 'http://10.0.0.2:80']);
    const first = await started(file);
    await first.writeFrontend('example.com', 'id', ['http://10.0.0.1:80', 'http://10.0.0.2:80']);
    await first.maintain({ frontend: 'example.com', backend: backends[1]!, on: true, ttl: 60 });
    await first.markDead({ host: 'example.com', frontend: 'example.com', backend: backends[0]!, size: 2, ttl: 60, write: true });
    await first.close();
    const second = await started(file);
    const [record] = await second.readFrontends(['example.com']);
    expect(record?.marks).toMatchObject([{ entry: 'http://10.0.0.2:80', manual: true }]);
    await second.close();
  });

  it.each(['[]', '{"example.com": []}', '{"example.com": {"http://10.0.0.1:80": "soon"}}'])(
    'written as %s ends the start with one clear line',
    async (text) => {
      await writeFile(file, `{"frontends": {}, "maintenance": ${text}}`);
      await expect(started(file)).rejects.toThrow(StartError);
    },
  );
});
