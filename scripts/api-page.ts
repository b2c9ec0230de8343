// docs/api.md, made from the OpenAPI document.

import { Changes } from '../src/management/changes.js';
import { allEndpoints } from '../src/management/endpoints.js';
import { Fleet } from '../src/management/fleet.js';
import { type ApiObject, type Operation, openApi } from '../src/management/openapi.js';
import { MemoryStore } from '../src/store/memory-store.js';

const introduction = `# Management API

This page is made from the OpenAPI document (\`npm run docs:api\`). A running API has it at \`/api/v1/openapi.json\`, and a page to browse
at \`/api/v1/docs\`; both need no token and no network.

\`cjs-proxy api\` serves it on http://127.0.0.1:8081/api/v1, or where \`api.port\` and \`api.bind\` say ([configuration.md](configuration.md)); a
node with the \`memory:\` store serves it itself once \`api.port\` is set. Who may call it: [security.md](security.md#the-management-api).

- **Bodies** are JSON. Everything that is wrong with one is told at once, as \`application/problem+json\` (RFC 9457), with a JSON pointer each.
- **Names in paths** are encoded: \`/routes/%2A.example.com\`, \`/routes/example.com%2Fapi\`.
- **Writes** are one transaction with a new \`revision\` (header \`X-Revision\`) and an entry of the history. \`?wait=applied\` answers when every
  node that serves has it in force, and 504 with \`laggards\` when one has not within \`timeout\` seconds (10). In a Redis Cluster, whose keys
  lie on several machines, each record is changed as a whole, the history is written first and the revision last: a change that was cut short
  shows as an entry of a revision that was never reached, and is completed by sending it again.
- **Lost updates**: \`ETag\` of what was read as \`If-Match\` of the write; 412 when somebody was faster. It tells what people write; whether
  backends are alive is no part of it. \`If-None-Match: *\` only makes what is not there.
- **\`warnings\`** in an answer say what is odd about a route that was written: others come before it, a backend is there twice, a tier or an auth provider is not there.
- **Lists** come in pages of about \`limit\`; the header \`Link\` names the next one. They are read by SCAN: what is there all the time comes at least once.
- **Durations** are seconds or a text with its unit, as in the records: [policy.md](policy.md).
- **\`POST /register\`** (not below \`/api/v1\`) takes registrations of dynamic-reverse-proxy, from this machine alone.
`;

/** The page. */
export function apiPage(): string {
  const store = new MemoryStore(null, () => undefined);
  const { paths, components, tags } = openApi(allEndpoints(new Fleet(store), new Changes(store)));
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  const parts = (tags as readonly { readonly name: string }[]).map(({ name }) => {
    const own = operations.filter(({ operation }) => operation.tags[0] === name);
    const rows = own.map(({ path, method, operation }) => row(method, path, operation));
    return [`## ${name}`, '', '| call | what it does | who | answers |', '|---|---|---|---|', ...rows, ''].join('\n');
  });
  const bodies = Object.entries(components.schemas)
    .filter(([name]) => !told.has(name))
    .map(([name, schema]) => bodyPart(name, schema));
  return `${introduction}\n${parts.join('\n')}\n## Bodies\n\n${bodies.join('\n')}`.replaceAll(/\n{3,}/g, '\n\n');
}

/** Schemas that need no words, or are said where they are used. */
const told = new Set(['Problem', 'Document', 'RouteReplacement', 'RoutePatch', 'CertificatePair']);

function row(method: string, path: string, { summary, description, parameters, responses }: Operation): string {
  const asked = parameters
    .filter(({ in: place, name }) => place === 'query' && !['wait', 'timeout'].includes(name))
    .map(({ name }) => `\`${name}\``);
  const query = asked.length === 0 ? '' : ` Query: ${asked.join(', ')}.`;
  const statuses = Object.keys(responses).filter((status) => !['default', '504'].includes(status));
  const role = /Role: (\w+)/.exec(String(description))?.[1] ?? '';
  return `| \`${method.toUpperCase()} ${path}\` | ${cell(summary)}${query} | ${role} | ${statuses.join(', ')} |`;
}

function bodyPart(name: string, { properties = {}, required = [] }: ApiObject): string {
  const members = Object.entries(properties as Readonly<Record<string, ApiObject>>);
  if (members.length === 0) return '';
  const needed = required as readonly string[];
  const rows = members.map(([member, { description = '', type = '', ...rest }]) => {
    const kind = typeof rest.$ref === 'string' ? (rest.$ref.split('/').at(-1) ?? '') : String(type);
    return `| \`${member}\`${needed.includes(member) ? ' (needed)' : ''} | ${kind} | ${cell(String(description))} |`;
  });
  return [`### ${name}`, '', '| member | type | |', '|---|---|---|', ...rows, ''].join('\n');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
