// The configuration file: which one it is, and its object.
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { packageFolder } from '../base/package-folder.js';
import { ConfigError, type Fault } from './config-error.js';
import { isTree, type Tree } from './draft.js';
import { findJsonFault } from './json-fault.js';

/** A file and what it holds. */
export interface ConfigFile {
  readonly path: string;
  readonly settings: Tree;
}

/**
 * Finds the file to load: the one that was asked for; else `config/config.json`, or `config/config_<flavor>.json`, in the current folder
 * or in the package. A flavor that does not exist is a fault; Hipache loaded its default file then.
 * @returns its path, or null where there is none
 */
export function locateConfigFile(asked: string | undefined, flavor: string, folder: string): string | null {
  if (asked !== undefined) {
    const path = resolve(folder, asked);
    if (!existsSync(path)) throw unreadable(path, "couldn't locate requested config file");
    return path;
  }
  if (!/^[\w.-]*$/.test(flavor)) {
    throw new ConfigError([
      {
        kind: 'wrong',
        path: 'SETTINGS_FLAVOR',
        value: JSON.stringify(flavor),
        allowed: 'a word such as "test", for config/config_test.json',
        source: 'environment',
      },
    ]);
  }
  const name = join('config', flavor === '' ? 'config.json' : `config_${flavor}.json`);
  const places = [join(folder, name), join(packageFolder, name)];
  const path = places.find((place) => existsSync(place));
  if (path === undefined && flavor !== '') {
    throw unreadable(
      places[0]!,
      `couldn't locate the config file of SETTINGS_FLAVOR=${flavor}; it is not in ${packageFolder}config either`,
    );
  }
  return path ?? null;
}

/** Reads a file. A wrong one is a `ConfigError` with line and column. */
export function readConfigFile(path: string): ConfigFile {
  const text = readText(path);
  const fault = findJsonFault(text);
  if (fault !== null) throw unreadable(`${path}:${fault.line}:${fault.column}`, `the JSON is broken: ${fault.problem}`);
  const settings: unknown = JSON.parse(text);
  if (!isTree(settings)) throw unreadable(path, 'the file has to hold one JSON object');
  return { path, settings };
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8').replace(/^\uFEFF/, '');
  } catch (error) {
    throw unreadable(path, `the file cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function unreadable(source: string, problem: string): ConfigError {
  const fault: Fault = { kind: 'unreadable', path: '', value: '', allowed: problem, source };
  return new ConfigError([fault]);
}
