// Settings from environment variables: CJS_PROXY_HTTP_PORT for http.port. They win over the file.
import type { Draft } from './draft.js';
import { nearestName } from './nearest.js';
import { allSettings, type SettingAt } from './schema.js';

/** What every variable begins with. */
const start = 'CJS_PROXY_';
const source = 'environment';
/** Of the command line: no settings. */
const others: readonly string[] = ['CJS_PROXY_API', 'CJS_PROXY_TOKEN'];
const json = /^\s*[[{]/;
/** `[::1]:8080` begins as a JSON list does. */
const bracketedAddress = /^\s*\[[0-9a-f]*:[0-9a-f:.]*\]/i;

const variables: ReadonlyMap<string, SettingAt> = new Map(allSettings.map((setting) => [variableName(setting.path), setting]));

/** The variable of a setting: `CJS_PROXY_SERVER_DEAD_BACKEND_TTL` for `server.deadBackendTTL`. */
export function variableName(path: string): string {
  const words = path.replace(/([a-z])([A-Z0-9])/g, '$1_$2').replaceAll('.', '_');
  return start + words.toUpperCase();
}

/** Puts all variables into the draft. An empty one counts as absent, as container tools leave them; an unknown one is a fault. */
export function applyEnvironment(draft: Draft, env: Readonly<Record<string, string | undefined>>): void {
  for (const [name, text] of Object.entries(env)) {
    if (!name.startsWith(start) || others.includes(name) || text === undefined || text === '') continue;
    const setting = variables.get(name);
    if (setting === undefined) {
      const nearest = nearestName(
        name.slice(start.length),
        [...variables.keys()].map((known) => known.slice(start.length)),
      );
      draft.refuse({
        kind: 'unknown',
        path: name,
        value: '',
        allowed: 'the variable of a setting',
        ...(nearest === undefined ? {} : { nearest: start + nearest }),
        source,
      });
      continue;
    }
    const value = readText(text, setting);
    if (value === undefined) {
      // The text is not shown: the JSON of https.bind may hold a passphrase.
      draft.refuse({ kind: 'wrong', path: name, value: 'text that is no JSON', allowed: setting.note.allowed, source });
    } else {
      draft.set(setting.path, value, { key: name, source });
    }
  }
}

/** The value that a text stands for; the schema judges it. Undefined: broken JSON. */
function readText(text: string, { note }: SettingAt): unknown {
  switch (note.kind) {
    case 'yes or no':
      return yesOrNo(text);
    case 'list':
      return json.test(text) && !bracketedAddress.test(text) ? parseJson(text) : splitAtCommas(text, /,/);
    case 'driver':
      return json.test(text) ? parseJson(text) : splitAtCommas(text, /,(?=\s*[a-z][a-z0-9+]*:)/i);
    case 'number':
    case 'duration':
    case 'seconds':
    case 'size':
    case 'choice':
    case 'text':
      return text;
  }
}

function yesOrNo(text: string): unknown {
  const word = text.toLowerCase();
  if (['true', 'yes', 'on', '1'].includes(word)) return true;
  if (['false', 'no', 'off', '0'].includes(word)) return false;
  return text;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function splitAtCommas(text: string, comma: RegExp): string[] {
  return text
    .split(comma)
    .map((part) => part.trim())
    .filter((part) => part !== '');
}
