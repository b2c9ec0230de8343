// The version of this package, as its package.json says.
import { readFileSync } from 'node:fs';

// The file lies two folders up both from src/base and from dist/base.
const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string };

export const packageVersion = manifest.version;
