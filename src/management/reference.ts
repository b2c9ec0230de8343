// The reference of the API for people and programs: the OpenAPI document, and a page made of it that needs no script and no network.
import type { Express, Request, Response } from 'express';
import type { Endpoint } from './endpoint.js';
import { type ApiObject, type OpenApi, type Operation, openApi } from './openapi.js';

/** Needs no token: it tells nothing that is not public. Made with the first question. */
export function serveReference(app: Express, endpoints: readonly Endpoint[]): void {
  let document: OpenApi | null = null;
  const made = (): OpenApi => {
    document ??= openApi(endpoints);
    return document;
  };
  app.get('/api/v1/openapi.json', (_request: Request, response: Response) => {
    response.setHeader('Content-Type', 'application/json');
    response.end(`${JSON.stringify(made(), null, 2)}\n`);
  });
  app.get('/api/v1/docs', (_request: Request, response: Response) => {
    response.setHeader('Content-Type', 'text/html; charset=utf-8');
    response.end(pageOf(made()));
  });
  app.get('/api/v1/docs.css', (_request: Request, response: Response) => {
    response.setHeader('Content-Type', 'text/css; charset=utf-8');
    response.end(style);
  });
}

const style = `:root { color-scheme: light dark; --line: #8886; --soft: #8882; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 60rem; padding: 1rem; }
nav a { margin-right: 1rem; white-space: nowrap; }
details { border: 1px solid var(--line); border-radius: 4px; margin: .4rem 0; }
summary { cursor: pointer; padding: .4rem .6rem; overflow-wrap: anywhere; }
summary b { display: inline-block; font-family: ui-monospace, monospace; min-width: 4.5rem; }
details > div { border-top: 1px solid var(--line); padding: .2rem .8rem .8rem; }
table { border-collapse: collapse; width: 100%; }
th { white-space: nowrap; }
th, td { border-bottom: 1px solid var(--line); padding: .2rem .5rem; text-align: left; vertical-align: top; overflow-wrap: anywhere; }
pre, code { background: var(--soft); border-radius: 3px; font: 14px/1.4 ui-monospace, monospace; }
pre { max-height: 30rem; overflow: auto; padding: .6rem; }
`;

function pageOf(document: OpenApi): string {
  const tags = document.tags as readonly { readonly name: string }[];
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  const sections = tags.map(({ name }) => {
    const own = operations.filter(({ operation }) => operation.tags[0] === name);
    const parts = own.map(({ path, method, operation }) => operationPart(method, path, operation));
    return `<h2 id="${anchor(name)}">${escaped(name)}</h2>\n${parts.join('\n')}`;
  });
  const schemas = Object.entries(document.components.schemas).map(([name, schema]) => schemaPart(name, schema));
  const links = [...tags.map(({ name }) => name), 'Schemas'].map((name) => `<a href="#${anchor(name)}">${escaped(name)}</a>`);
  const { title, version, summary } = document.info as Record<string, string>;
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escaped(title)}</title><link rel="stylesheet" href="docs.css"></head>
<body>
<h1>${escaped(title)} ${escaped(version)}</h1>
<p>${escaped(summary)} <a href="openapi.json">OpenAPI document</a></p>
<nav>${links.join('\n')}</nav>
${sections.join('\n')}
<h2 id="${anchor('Schemas')}">Schemas</h2>
${schemas.join('\n')}
</body>
</html>
`;
}

function operationPart(
  method: string,
  path: string,
  { summary, description, parameters, requestBody, responses }: Operation,
): string {
  const asked = parameters.map(({ name, in: place, required, description: text }) => [
    escaped(name),
    place + (required ? ', needed' : ''),
    prose(text),
  ]);
  const told = Object.entries(responses).map(([status, answer]) => [status, linked(answer), answer.description]);
  const body = requestBody === undefined ? '' : `<p>Body: ${linked(requestBody as ApiObject)}</p>`;
  return `<details><summary><b>${method.toUpperCase()}</b> <code>${escaped(path)}</code> ${prose(summary)}</summary><div>
<p>${prose(String(description))}</p>
${asked.length === 0 ? '' : table(['parameter', 'where', ''], asked)}
${body}
${table(
  ['answer', 'body', ''],
  told.map(([status = '', link = '', text = '']) => [status, link, prose(text)]),
)}
</div></details>`;
}

/** A link to it opens what it is folded into, as browsers do for what lies within. */
function schemaPart(name: string, schema: ApiObject): string {
  return `<details><summary>${escaped(name)}</summary><div><pre id="${anchor(`schema ${name}`)}">${escaped(JSON.stringify(schema, null, 2))}</pre></div></details>`;
}

/** The names of the schemas of a body, as links to them. */
function linked(body: ApiObject): string {
  const names = [...new Set([...JSON.stringify(body).matchAll(/#\/components\/schemas\/(\w+)/g)].map(([, name = '']) => name))];
  return names.map((name) => `<a href="#${anchor(`schema ${name}`)}">${escaped(name)}</a>`).join(' ');
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const head = heads.map((text) => `<th>${text}</th>`).join('');
  return `<table><tr>${head}</tr>${rows.map((row) => `<tr>${row.map((cell) => `<td>${cell}</td>`).join('')}</tr>`).join('')}</table>`;
}

/** A text in which code stands between backticks. */
function prose(text = ''): string {
  return escaped(text).replaceAll(/`([^`]+)`/g, '<code>$1</code>');
}

function anchor(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');
}

function escaped(text = ''): string {
  const names: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
  return text.replaceAll(/[&<>"']/g, (character) => names[character] ?? character);
}
