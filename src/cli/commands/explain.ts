// `cjs-proxy explain URL`: asks the store itself why a request goes where it goes, and prints the answer.
import type { Config } from '../../config/config.js';
import { maskDriverUrl } from '../../config/driver-url.js';
import { type Explanation, explainRequest } from '../../management/explain-request.js';
import { createStore } from '../../store/create-store.js';

/** What a person wrote behind the command. */
export interface ExplainOptions {
  readonly from?: string;
  readonly header: readonly string[];
  readonly json?: boolean;
}

const ignored = { changed() {}, everythingChanged() {} };

/**
 * @param config of which the driver matters
 * @returns the exit code: 1 where the store cannot be asked, 2 for a URL or header that cannot be understood
 */
export async function explain(config: Config, address: string, { from = '', header, json }: ExplainOptions): Promise<number> {
  const url = readUrl(address);
  if (url === null) return complain(`${JSON.stringify(address)} is no URL; write it as http://example.com/path`, 2);
  const headers = new Map<string, string>();
  for (const line of header) {
    const parts = /^([^\s:]+):\s*(.*)$/s.exec(line);
    if (parts === null) return complain(`${JSON.stringify(line)} is no header; write it as 'Name: value'`, 2);
    headers.set((parts[1] as string).toLowerCase(), parts[2] as string);
  }
  const store = createStore(config, (level, text) => {
    if (level === 'error') process.stderr.write(`cjs-proxy: ${text}\n`);
  });
  try {
    await store.start(ignored);
    const explanation = await explainRequest(store, { url, from, headers });
    process.stdout.write(`${json === true ? JSON.stringify(explanation, null, 2) : describe(explanation)}\n`);
    return 0;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return complain(`${maskDriverUrl(config.driver.read)} cannot be asked: ${why}`, 1);
  } finally {
    await store.close();
  }
}

/** `example.com/path` is meant as http. */
function readUrl(text: string): URL | null {
  const written = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  if (!URL.canParse(written)) return null;
  const url = new URL(written);
  return url.protocol === 'http:' || url.protocol === 'https:' ? url : null;
}

function complain(text: string, code: number): number {
  process.stderr.write(`cjs-proxy: ${text}\n`);
  return code;
}

function describe({ url, pattern, tried, frontend, identifier, backends, policy, steps, faults }: Explanation): string {
  const lines = [url];
  const add = (title: string, texts: readonly string[]): void => {
    for (const [at, text] of texts.entries()) lines.push(`  ${(at === 0 ? title : '').padEnd(10)}${printable(text)}`);
  };
  if (pattern !== '') add('pattern', [pattern]);
  add(
    'tried',
    tried.map(({ name, found }) => `${name}${found === 'nothing' ? '' : found === 'list' ? '  is it' : '  cannot be read'}`),
  );
  add('frontend', [frontend === null ? 'none' : identifier === '' ? frontend : `${frontend}  (${identifier})`]);
  add(
    'backends',
    backends.map(({ id, entry, standing, retryAt, weight, backup, group }) => {
      const more = [
        ...(weight === 1 ? [] : [`weight ${weight}`]),
        ...(backup ? ['backup'] : []),
        ...(group === '' ? [] : [`group ${group}`]),
        ...(retryAt === undefined ? [] : [`until ${retryAt}`]),
      ];
      return [id, entry, standing, ...more].join('  ');
    }),
  );
  add(
    'policy',
    Object.entries(policy).map(([name, value]) => `${name}  ${value}`),
  );
  add('faults', faults);
  add('then', steps);
  return lines.join('\n');
}

/** Records may hold anything: nothing of it is to move the cursor of a terminal. */
function printable(text: string): string {
  return text.replace(/[\x00-\x1f\x7f-\x9f]/g, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
