// A text with variables, such as `for=${client_ip}`: parsed once, with what it may stand for.
import { nearestName } from '../../config/nearest.js';
import { Disallowed } from './parsed-by.js';

/** Everything that a variable can name; `${` itself is written `$${`. */
export const variableNames = [
  /** Address of the client, as far as trusted proxies tell it. */
  'client_ip',
  /** Host that was asked for, without its port. */
  'host',
  /** The same with its port, as it was sent. */
  'authority',
  /** `http` or `https`, as the client used it. */
  'scheme',
  'method',
  /** Path of the client's request, without the query, as it was sent. */
  'path',
  /** The query without its question mark. */
  'query',
  'request_id',
  /** Name of the frontend, e.g. `*.example.com`. */
  'frontend',
  /** Scheme and address of the backend, e.g. `http://10.0.0.1:80`; empty in answers that the proxy makes without one. */
  'backend',
] as const;

export type VariableName = (typeof variableNames)[number];

/** Literal texts with a variable between each two of them. */
export interface Template {
  /** One more than there are variables. One character a byte (UTF-8), as they are sent. */
  readonly literals: readonly string[];
  readonly variables: readonly VariableName[];
}

const mark = /\$\$\{|\$\{([^}]*)(\}?)/g;
const forbidden = /[\x00-\x08\x0a-\x1f\x7f]/;

const longest = 4096;

/** Reads a text. What may not stand in a header line (CR, LF, NUL and the like) is refused. */
export function parseTemplate(text: string): Template | Disallowed {
  if (forbidden.test(text)) return new Disallowed('text without line breaks and other control characters');
  if (Buffer.byteLength(text) > longest) return new Disallowed(`text of up to ${longest} bytes`);
  const literals: string[] = [];
  const variables: VariableName[] = [];
  let literal = '';
  let from = 0;
  for (const match of text.matchAll(mark)) {
    literal += text.slice(from, match.index);
    from = match.index + match[0].length;
    if (match[1] === undefined) {
      literal += '${';
      continue;
    }
    const name = match[1];
    if (match[2] !== '}') return new Disallowed('a } behind each ${, or $${ for the characters ${ themselves');
    if (!isVariable(name)) return new Disallowed(unknownVariable(name));
    literals.push(asBytes(literal));
    variables.push(name);
    literal = '';
  }
  literals.push(asBytes(literal + text.slice(from)));
  return { literals, variables };
}

function isVariable(name: string): name is VariableName {
  return (variableNames as readonly string[]).includes(name);
}

/** Without the name that was written: it came from somebody's value. */
function unknownVariable(name: string): string {
  const nearest = nearestName(name, variableNames);
  const known = variableNames.map((one) => `\${${one}}`).join(', ');
  return `${nearest === undefined ? '' : `\${${nearest}} perhaps; `}the variables ${known}`;
}

function asBytes(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}
