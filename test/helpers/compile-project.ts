// Turns the project into JavaScript once for a whole run of tests.
import { cpSync, mkdtempSync, readdirSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { bundleProgram } from '../../scripts/bundle.mjs';
import { projectRoot } from './staged-project.js';

/**
 * The program as it is published, in `dist`; and, file by file and without a look at types, the sources and what of the tests runs in
 * processes of its own.
 * @returns the folder
 */
export async function compileProject(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'cjs-proxy-compiled-'));
  const entryPoints = ['src', 'scripts', 'test/helpers', 'test/fixtures'].flatMap((part) =>
    readdirSync(join(projectRoot, part), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts'))
      .map((path) => join(projectRoot, part, path)),
  );
  await build({ entryPoints, outbase: projectRoot, outdir: folder, format: 'esm', target: 'node20', logLevel: 'error' });
  await bundleProgram(join(folder, 'dist'));
  for (const part of ['package.json', 'config']) cpSync(join(projectRoot, part), join(folder, part), { recursive: true });
  symlinkSync(join(projectRoot, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}
