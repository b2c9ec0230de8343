// `cjs-proxy explain URL`: why a request goes where it goes.
import type { Explanation } from '../../management/explain-request.js';
import { CommandError, exitCodes } from '../command-error.js';
import { printable } from '../output/printable.js';
import type { Session } from '../session.js';

/** What a person wrote behind the command. */
export interface ExplainOptions {
  readonly from?: string;
  readonly header?: readonly string[];
}

/** @throws CommandError for a URL or a header that cannot be understood */
export async function explain(
  session: Session,
  [address = '']: readonly string[],
  { from, header = [] }: ExplainOptions,
): Promise<number> {
  const url = readUrl(address);
  const wrong = header.find((line) => !/^[^\s:]+:/.test(line));
  if (wrong !== undefined)
    throw new CommandError(`${JSON.stringify(wrong)} is no header; write it as 'Name: value'`, exitCodes.usage);
  const query = { url: url.href, ...(from === undefined ? {} : { from }), header };
  const { body } = await session.fleet.ask({ method: 'get', path: '/explain', query });
  const explanation = body as Explanation;
  session.print(session.json ? JSON.stringify(explanation, null, 2) : describe(explanation));
  return exitCodes.done;
}

/** `example.com/path` is meant as http. */
function readUrl(text: string): URL {
  const written = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  const url = URL.canParse(written) ? new URL(written) : null;
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new CommandError(`${JSON.stringify(text)} is no URL; write it as http://example.com/path`, exitCodes.usage);
  return url;
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
