// What the product is built from: pinned, checked, and without programs that run when it is installed.
import { execFile } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../helpers/staged-project.js';

interface LockedPackage {
  readonly version?: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly link?: boolean;
  readonly dev?: boolean;
  readonly devOptional?: boolean;
  readonly hasInstallScript?: boolean;
}

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly scripts?: Readonly<Record<string, string>>;
}

const read = (path: string) => JSON.parse(readFileSync(join(projectRoot, path), 'utf8'));
const manifest = read('package.json') as Manifest;
const lock = read('package-lock.json') as { lockfileVersion: number; packages: Record<string, LockedPackage & Manifest> };
const packages = Object.entries(lock.packages).filter(([place]) => place !== '');
const atRunTime = packages.filter(([, { dev, devOptional }]) => dev !== true && devOptional !== true);

describe('the lockfile', () => {
  it('pins every package to a version and a digest of its content', () => {
    expect(lock.lockfileVersion).toBe(3);
    for (const [place, { version, integrity, link }] of packages) {
      expect(link, place).toBeUndefined();
      expect(version, place).toMatch(/^\d+\.\d+\.\d+/);
      expect(integrity, place).toMatch(/^sha512-[\w+/]{86}==$/);
    }
  });

  it('is the one of package.json', () => {
    const { dependencies, devDependencies } = lock.packages[''] as Manifest;
    expect(dependencies).toEqual(manifest.dependencies);
    expect(devDependencies).toEqual(manifest.devDependencies);
  });

  it('takes nothing from elsewhere than a registry', () => {
    const ranges = [...Object.values(manifest.dependencies ?? {}), ...Object.values(manifest.devDependencies ?? {})];
    for (const range of ranges) expect(range).toMatch(/^(?:npm:[\w./@-]+@)?[\^~]?\d+(?:\.\d+)*$/);
    for (const [place, { resolved }] of packages) expect(resolved ?? 'https://', place).toMatch(/^https:\/\//);
  });
});

describe('packages that are needed at run time', () => {
  it('run nothing when they are installed', () => {
    expect(atRunTime.length).toBeGreaterThan(10);
    for (const [place, { hasInstallScript }] of atRunTime) {
      expect(hasInstallScript, place).toBeUndefined();
      if (!existsSync(join(projectRoot, place))) continue;
      const { scripts = {} } = read(join(place, 'package.json')) as Manifest;
      for (const name of ['preinstall', 'install', 'postinstall']) expect(scripts[name], `${place}: ${name}`).toBeUndefined();
      // npm compiles what has such a file, though no script says so.
      expect(existsSync(join(projectRoot, place, 'binding.gyp')), place).toBe(false);
    }
  });
});

describe('the audit in npm run check', () => {
  const folder = mkdtempSync(join(tmpdir(), 'audit-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  /** Runs it with an npm that prints a report. */
  function audit(printed: string, args: readonly string[] = []): Promise<{ code: number; said: string }> {
    writeFileSync(join(folder, 'report'), printed);
    writeFileSync(join(folder, 'npm'), `#!/bin/sh\ncat '${join(folder, 'report')}'\nexit 1\n`);
    chmodSync(join(folder, 'npm'), 0o755);
    const env = { PATH: `${folder}:${dirname(process.execPath)}:/usr/bin:/bin` };
    return new Promise((resolve) => {
      execFile(process.execPath, [join(projectRoot, 'scripts/audit.mjs'), ...args], { env }, (error, stdout, stderr) => {
        resolve({ code: typeof error?.code === 'number' ? error.code : 0, said: stdout + stderr });
      });
    });
  }

  const found = {
    metadata: { vulnerabilities: { total: 1 } },
    vulnerabilities: { leftpad: { name: 'leftpad', range: '<2', severity: 'high', via: [{ title: 'Pads to the right' }] } },
  };

  it('passes when nothing is known', async () => {
    const { code, said } = await audit(JSON.stringify({ metadata: { vulnerabilities: { total: 0 } } }));
    expect([code, said]).toEqual([0, 'audit: no package of the lockfile has a known vulnerability\n']);
  });

  it('fails when something is known, and names it', async () => {
    const { code, said } = await audit(JSON.stringify(found));
    expect(code).toBe(1);
    expect(said).toContain('leftpad <2: high: Pads to the right');
  });

  it('says that it was not done when nobody could be asked, and fails then only where that is asked for', async () => {
    for (const printed of ['', '{"message": "405 Method Not Allowed"}', 'not json']) {
      const lax = await audit(printed);
      expect(lax.code).toBe(0);
      expect(lax.said).toContain('audit: NOT DONE');
      expect((await audit(printed, ['--strict'])).code).toBe(2);
    }
  });
});
