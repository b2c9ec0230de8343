// Configuration files for tests: written into a folder of their own and loaded as the program loads them.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Config } from '../../src/config/config.js';
import { ConfigError, type Fault } from '../../src/config/config-error.js';
import { type ConfigSources, loadConfig } from '../../src/config/load.js';

/** A new folder, which goes when the test that asked for it is over. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'cjs-proxy-config-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** Writes a file into a new folder. @returns its path */
export function writeConfigFile(content: unknown, name = 'config.json'): string {
  const path = join(temporaryFolder(), name);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

/** Loads a file with this content; not as root and without an environment unless told. */
export function loadSettings(content: unknown, sources: Partial<ConfigSources> = {}): Config {
  return loadConfig({ file: writeConfigFile(content), env: {}, root: false, ...sources });
}

/** The error that loading a file with this content ends in. */
export function loadingError(content: unknown, sources: Partial<ConfigSources> = {}): ConfigError {
  try {
    loadSettings(content, sources);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('the configuration was accepted');
}

/** The faults of a file with this content, by path. */
export function faultAt(path: string, content: unknown, sources: Partial<ConfigSources> = {}): Fault {
  const { faults } = loadingError(content, sources);
  const fault = faults.find((one) => one.path === path);
  if (fault === undefined) throw new Error(`no fault at ${path}, only at ${faults.map((one) => one.path).join(', ')}`);
  return fault;
}
