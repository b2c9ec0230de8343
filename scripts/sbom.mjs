// Writes sbom.cdx.json: what a user of the package runs, as CycloneDX, from the lockfile. Run by `npm pack` and `npm publish`.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

const args = ['sbom', '--sbom-format', 'cyclonedx', '--sbom-type', 'application', '--package-lock-only'];
const bom = JSON.parse(
  execFileSync('npm', args, { encoding: 'utf8', maxBuffer: 64 << 20, stdio: ['ignore', 'pipe', 'inherit'] }),
);
const read = (path) => JSON.parse(readFileSync(path, 'utf8'));

// npm's own `--omit dev` leaves packages out that development needs as well as the product: so all are asked for, and those
// that only development needs are marked.
const onlyForDevelopment = ({ properties }) => properties.some(({ name }) => name === 'cdx:npm:package:development');
bom.components = bom.components.filter((component) => !onlyForDevelopment(component));

const root = bom.metadata.component;
const kept = new Set([root['bom-ref'], ...bom.components.map((component) => component['bom-ref'])]);
bom.dependencies = bom.dependencies
  .filter(({ ref }) => kept.has(ref))
  .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((one) => kept.has(one)) }));
// npm names the component after the folder that it lies in.
root.name = read('package.json').name;
writeFileSync('sbom.cdx.json', `${JSON.stringify(bom, null, 2)}\n`);
