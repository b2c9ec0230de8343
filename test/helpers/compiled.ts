// The project as JavaScript, made by the global setup: a process that a test starts is the product and nothing else, and starts at once.
import { join } from 'node:path';
import { inject } from 'vitest';

declare module 'vitest' {
  interface ProvidedContext {
    /** Folder of the compiled project. */
    compiled: string;
  }
}

/**
 * A file of the compiled project.
 * @param path from the project's folder, without its ending: `test/fixtures/use-store`, `dist/bin/cjs-proxy`
 */
export function compiledProgram(path: string): string {
  return join(inject('compiled'), `${path}.js`);
}

/** Program and first argument that are the command `cjs-proxy`. */
export function ourCommand(): [program: string, file: string] {
  return [process.execPath, compiledProgram('dist/bin/cjs-proxy')];
}
