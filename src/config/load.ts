// Loading the configuration: file, environment and command line, older spellings and defaults, to one frozen Config.
import type { Config } from './config.js';
import { ConfigError } from './config-error.js';
import { Draft } from './draft.js';
import { applyEnvironment } from './environment.js';
import { locateConfigFile, readConfigFile } from './file.js';
import { applyFlags, type Flags } from './flags.js';
import { applyLegacy } from './legacy.js';
import { applyPlanb } from './planb.js';
import { applyProxima } from './proxima.js';
import { resolveConfig } from './resolve.js';
import { sections, settingsSchema } from './schema.js';
import { settingsFaults } from './settings-faults.js';

/** Where settings come from. */
export interface ConfigSources {
  /** The file that was asked for; absent: the default one. */
  readonly file?: string | undefined;
  /** What a file would hold, in place of any file. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Environment: `CJS_PROXY_*` and `SETTINGS_FLAVOR`. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly flags?: Flags;
  /** Folder that relative names of configuration files start from; absent: the current one. */
  readonly cwd?: string;
  /** Whether the process was started as root; absent: asked of the system. */
  readonly root?: boolean;
}

/**
 * Loads and checks everything. Paths inside the file are left as they are: they start from the current folder, as in Hipache.
 * @throws ConfigError with all faults at once
 */
export function loadConfig({
  file,
  settings,
  env,
  flags = {},
  cwd = process.cwd(),
  root = process.getuid?.() === 0,
}: ConfigSources): Config {
  const draft = settings === undefined ? draftOfFile(file, env, cwd) : new Draft(settings, 'settings');
  applyProxima(draft);
  applyPlanb(draft);
  applyLegacy(draft);
  applyEnvironment(draft, env);
  applyFlags(draft, flags);

  for (const section of sections) {
    if (draft.settings[section] === undefined) draft.settings[section] = {};
  }
  const result = settingsSchema.safeParse(draft.settings, { reportInput: true });
  if (!result.success) {
    for (const fault of settingsFaults(result.error.issues, draft)) draft.refuse(fault);
    throw new ConfigError(draft.faults);
  }
  const config = resolveConfig(result.data, draft, root);
  if (draft.faults.length > 0) throw new ConfigError(draft.faults);
  return freezeDeeply(config);
}

function draftOfFile(file: string | undefined, env: ConfigSources['env'], cwd: string): Draft {
  const path = locateConfigFile(file, env.SETTINGS_FLAVOR ?? '', cwd);
  return path === null ? new Draft({}, 'defaults') : new Draft(readConfigFile(path).settings, path);
}

function freezeDeeply<T extends object>(value: T): T {
  for (const part of Object.values(value)) {
    if (typeof part === 'object' && part !== null) freezeDeeply(part);
  }
  return Object.freeze(value);
}
