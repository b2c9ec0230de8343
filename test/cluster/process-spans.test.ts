// Spans of a whole node: whoever starts it brings an SDK by NODE_OPTIONS, and its workers inherit that.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { SpanKind } from '@opentelemetry/api';
import { expect, it, onTestFinished } from 'vitest';
import { ask } from '../helpers/ask.js';
import { answering, ok, startBackend } from '../helpers/backend.js';
import { startRedis } from '../helpers/redis.js';
import { spawnNode } from '../helpers/spawn-node.js';

it('are made by its workers where NODE_OPTIONS loads an SDK, and are not lost when they end', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'cjs-proxy-spans-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const [file, told] = [join(folder, 'tracing.mjs'), join(folder, 'spans')];
  const of = (name: string) => JSON.stringify(import.meta.resolve(name));
  writeFileSync(
    file,
    `import { appendFileSync } from 'node:fs';
import api from ${of('@opentelemetry/api')};
import sdk from ${of('@opentelemetry/sdk-trace-base')};
const exporter = {
export(spans, done) {
  for (const { name, kind } of spans) appendFileSync(${JSON.stringify(told)}, \`\${process.pid} \${name} \${kind}\\n\`);
  done({ code: 0 });
},
shutdown: async () => {},
};
api.trace.setGlobalTracerProvider(new sdk.BasicTracerProvider({ spanProcessors: [new sdk.BatchSpanProcessor(exporter)] }));
`,
  );
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  const backend = await startBackend(answering(ok()));
  onTestFinished(() => backend.close());
  await redis.cli('rpush', 'frontend:a.example', 'a', backend.url);
  const settings = { driver: redis.url, server: { workers: 1 } };
  const node = await spawnNode(settings, [], { NODE_OPTIONS: `--import ${pathToFileURL(file)}` });
  onTestFinished(() => node.destroy());
  await node.serving();
  const [worker] = node.workers();
  expect((await ask(node.port, 'a.example')).status).toBe(200);
  // What the SDK holds back is not lost with the worker.
  node.kill('SIGTERM');
  expect(await node.ended).toMatchObject({ code: 0 });
  const lines = readFileSync(told, 'utf8').trim().split('\n').sort();
  expect(lines).toEqual([`${worker} GET ${SpanKind.SERVER}`, `${worker} GET ${SpanKind.CLIENT}`]);
});
