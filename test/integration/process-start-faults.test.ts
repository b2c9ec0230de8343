// What keeps a node from starting is one clear line and exit code 1: no stack, no loop of workers that try again.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { selfSigned } from '../helpers/certs.js';
import { startRedis } from '../helpers/redis.js';
import { type NodeSettings, type SpawnedNode, spawnNode } from '../helpers/spawn-node.js';

const nodes: SpawnedNode[] = [];
afterEach(async () => {
  await Promise.all(nodes.splice(0).map((node) => node.destroy()));
});

/** Starts quietly and gives what was said in the end. */
async function startInVain(settings: NodeSettings): Promise<string> {
  const node = await spawnNode(settings, ['--quiet']);
  nodes.push(node);
  expect(await node.ended).toEqual({ code: 1, signal: null });
  return node.stderr();
}

describe.each([
  { process: 'with workers', workers: 2 },
  { process: 'in one process', workers: 0 },
])('a node $process', ({ workers }) => {
  it('says that a port is busy', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as { port: number };
    try {
      const said = await startInVain({ server: { workers }, http: { bind: ['127.0.0.1'], port } });
      expect(said).toMatch(new RegExp(`^cjs-proxy: cannot listen on 127\\.0\\.0\\.1:${port}: [^\\n]+\\n$`));
    } finally {
      other.close();
    }
  });

  it('says that the access log cannot be written', async () => {
    const accessLog = join(mkdtempSync(join(tmpdir(), 'cjs-proxy-log-')), 'missing', 'access.log');
    const said = await startInVain({ server: { workers, accessLog } });
    expect(said).toMatch(/^cjs-proxy: [^\n]*\n$/);
    expect(said).toContain(accessLog);
  });

  it('says that a certificate cannot be read', async () => {
    const said = await startInVain({
      server: { workers },
      https: { bind: ['127.0.0.1'], port: 0, key: '/nonexistent/site.key', cert: '/nonexistent/site.crt' },
    });
    expect(said).toMatch(/^cjs-proxy: [^\n]*\/nonexistent\/site\.[^\n]*\n$/);
  });

  it('says that a certificate is none', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'cjs-proxy-certificate-'));
    writeFileSync(join(folder, 'site.key'), selfSigned('localhost').key);
    writeFileSync(join(folder, 'site.crt'), 'no certificate');
    const said = await startInVain({
      server: { workers },
      https: { bind: ['127.0.0.1'], port: 0, key: join(folder, 'site.key'), cert: join(folder, 'site.crt') },
    });
    expect(said).toMatch(/^cjs-proxy: [^\n]*site\.crt[^\n]*\n$/);
  });

  it('says that Redis refuses the password, without showing it', async () => {
    const redis = await startRedis({ args: ['--requirepass', 'right'] });
    try {
      const said = await startInVain({ server: { workers }, driver: `redis://:wrong-secret@127.0.0.1:${redis.port}` });
      expect(said).toMatch(/^cjs-proxy: [^\n]*\n$/);
      expect(said).not.toContain('wrong-secret');
    } finally {
      await redis.stop();
    }
  });
});
