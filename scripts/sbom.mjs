// Writes sbom.cdx.json: what a user of the package runs, as CycloneDX, from the lockfile. Run by `npm pack` and `npm publish`.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

const args = ['sbom', '--sbom-format', 'cyclonedx', '--sbom-type', 'application', '--omit', 'dev', '--package-lock-only'];
const bom = JSON.parse(
  execFileSync('npm', args, { encoding: 'utf8', maxBuffer: 64 << 20, stdio: ['ignore', 'pipe', 'inherit'] }),
);
// npm names the component after the folder that it lies in.
bom.metadata.component.name = JSON.parse(readFileSync('package.json', 'utf8')).name;
writeFileSync('sbom.cdx.json', `${JSON.stringify(bom, null, 2)}\n`);
