// The program in a few pieces of JavaScript, as it is published and as the tests start it.
//
// Some four hundred modules of their own would each cost a look-up at start, and every name that one imports from another a check at
// each use: in one piece they are constants that the engine of the language folds (measured: see docs/architecture.md). What is
// loaded only when it is needed stays a piece of its own.
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const { bin, exports, dependencies } = createRequire(import.meta.url)('../package.json');

/** The source of a built file: `./dist/index.js` comes from `src/index.ts`. */
const sourceOf = (built) => built.replace(/^\.\/dist\//, 'src/').replace(/\.js$/, '.ts');
const entries = [...Object.values(bin), ...Object.values(exports).map((entry) => entry.default)].filter(Boolean).map(sourceOf);

/** Leaves the other languages of zod's messages out. */
const oneLanguage = {
  name: 'one-language',
  setup(building) {
    building.onLoad({ filter: /zod\/v4\/locales\/index\.js$/ }, () => ({ contents: "export { default as en } from './en.js';" }));
  },
};

/** @param {string} outdir where the pieces go: what `dist/` is in the package */
export async function bundleProgram(outdir) {
  await build({
    absWorkingDir: root,
    entryPoints: [...entries, 'src/proxy/worker-main.ts'],
    outbase: 'src',
    outdir,
    bundle: true,
    splitting: true,
    // Packages stay packages but for zod: of its 50 languages, a megabyte of each worker, this program speaks one.
    external: Object.keys(dependencies).filter((name) => name !== 'zod'),
    plugins: [oneLanguage],
    format: 'esm',
    platform: 'node',
    target: 'node20',
    // Beside the program of the workers, which is found from there.
    chunkNames: 'proxy/[name]-[hash]',
    logLevel: 'warning',
  });
}
