// `npm run build`: dist/ with the code in a few pieces and the types file by file.
import { execFileSync } from 'node:child_process';
import { chmodSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { bundleProgram } from './bundle.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

rmSync(new URL('../dist', import.meta.url), { recursive: true, force: true });
execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' });
await bundleProgram('dist');
chmodSync(new URL('../dist/bin/cjs-proxy.js', import.meta.url), 0o755);
