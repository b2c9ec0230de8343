// The OpenAPI 3.1 document, made from the endpoints and the very schemas that bodies are checked with.
import * as z from 'zod';
import { packageVersion } from '../base/package-version.js';
import type { Endpoint } from './endpoint.js';
import { problemStatuses } from './problem.js';

/** A part of the document: plain JSON. */
export interface ApiObject {
  readonly [member: string]: unknown;
}

export interface OpenApi extends ApiObject {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, ApiObject>> } & ApiObject;
}

export interface Operation extends ApiObject {
  readonly summary: string;
  readonly tags: readonly string[];
  readonly parameters: readonly Parameter[];
  readonly responses: Readonly<Record<string, ApiObject & { readonly description: string }>>;
}

export interface Parameter extends ApiObject {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required: boolean;
  readonly description: string;
  readonly schema: ApiObject;
}

const problem: ApiObject = {
  type: 'object',
  description: 'RFC 9457.',
  required: ['type', 'title', 'status', 'detail', 'code'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    code: { type: 'string', enum: Object.keys(problemStatuses) },
    instance: { type: 'string' },
    error: { type: 'string', description: 'As `title`.' },
    errors: {
      type: 'array',
      description: 'Everything that is wrong with what was sent.',
      items: { type: 'object', properties: { pointer: { type: 'string' }, detail: { type: 'string' } } },
    },
  },
};

/** The document for some endpoints. */
export function openApi(endpoints: readonly Endpoint[]): OpenApi {
  const schemas: Record<string, ApiObject> = { Problem: problem };
  const paths: Record<string, Record<string, Operation>> = {};
  for (const one of endpoints) {
    const path = paths[one.path] ?? {};
    paths[one.path] = path;
    path[one.method] = operationOf(one, schemas);
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'cjs-proxy management API',
      version: packageVersion,
      summary: 'Routes, backends, certificates and everything else that a fleet of cjs-proxy serves by.',
    },
    servers: [{ url: '/api/v1' }],
    security: [{ token: [] }],
    tags: [...new Set(endpoints.map(({ tag }) => tag))].map((name) => ({ name })),
    paths,
    components: {
      schemas: Object.fromEntries(Object.entries(schemas).sort(([one], [other]) => (one < other ? -1 : 1))),
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
      responses: {
        Problem: {
          description: 'Why it was not done.',
          content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
        },
      },
    },
  };
}

function operationOf(one: Endpoint, schemas: Record<string, ApiObject>): Operation {
  const { method, path, tag, summary, role, scoped, body, document } = one;
  const types = document === true ? ['application/json', 'application/yaml'] : ['application/json'];
  const sent = body === undefined ? null : schemaOf(body, schemas, 'input');
  const content = Object.fromEntries(types.map((type) => [type, { schema: sent }]));
  return {
    operationId: operationId(method, path),
    tags: [tag],
    summary,
    description: `Role: ${role}.${scoped ? '' : ' Not for tokens of some hosts.'}`,
    parameters: parametersOf(one),
    ...(sent === null ? {} : { requestBody: { required: true, content } }),
    responses: responsesOf(one, schemas),
  };
}

function responsesOf({ answers, method }: Endpoint, schemas: Record<string, ApiObject>): Operation['responses'] {
  const told = Object.entries(answers).map(([status, { description, schema }]) => {
    if (Number(status) >= 400) return [status, { description, ...problemContent }] as const;
    const content =
      schema === undefined ? {} : { content: { 'application/json': { schema: schemaOf(schema, schemas, 'output') } } };
    return [status, { description, ...content }] as const;
  });
  const late = {
    504: {
      description: 'With `wait=applied`: it is made, but not in force everywhere; `laggards` says where not.',
      ...problemContent,
    },
  };
  return {
    ...Object.fromEntries(told),
    ...(method === 'get' ? {} : late),
    default: { description: 'Why it was not done.', ...problemContent },
  };
}

const problemContent = { content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } } };

function parametersOf({ method, path, query }: Endpoint): Parameter[] {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']): Parameter => {
    return { name, in: 'path', required: true, description: pathNotes[name] ?? 'Its name.', schema: { type: 'string' } };
  });
  const inQuery = Object.entries(query?.shape ?? {}).map(([name, schema]): Parameter => {
    const { description = '', ...rest } = jsonSchema(schema as z.ZodType, 'input');
    return {
      name,
      in: 'query',
      required: !(schema as z.ZodType).safeParse(undefined).success,
      description: String(description),
      schema: rest,
    };
  });
  if (method === 'get') return [...inPath, ...inQuery];
  return [...inPath, ...inQuery, ...writeParameters.filter((one) => one.in === 'query' || method !== 'post')];
}

const pathNotes: Readonly<Record<string, string>> = {
  vHost: 'The frontend, encoded: `%2A.example.com`, `example.com%2Fapi`.',
  id: 'Its id, encoded.',
  domain: 'A host, `*.suffix`, or `*`.',
};

/** What every write can be asked for. */
const writeParameters: readonly Parameter[] = [
  {
    name: 'wait',
    in: 'query',
    required: false,
    description: 'Answers when every node that serves has the change in force; 504 where one has not in time.',
    schema: { type: 'string', enum: ['applied'] },
  },
  {
    name: 'timeout',
    in: 'query',
    required: false,
    description: 'Seconds for that; absent: 10.',
    schema: { type: 'number', maximum: 60 },
  },
  {
    name: 'If-Match',
    in: 'header',
    required: false,
    description: 'ETag that it must still have: 412 otherwise.',
    schema: { type: 'string' },
  },
  {
    name: 'If-None-Match',
    in: 'header',
    required: false,
    description: '`*`: it must not be there yet.',
    schema: { type: 'string' },
  },
];

/** A schema with a name stands under `components`, and is pointed to. */
function schemaOf(schema: z.ZodType, schemas: Record<string, ApiObject>, io: 'input' | 'output'): ApiObject {
  const { $defs = {}, ...rest } = jsonSchema(schema, io);
  for (const [name, definition] of Object.entries($defs as Record<string, ApiObject>)) schemas[name] ??= tidy(definition);
  const id = schema.meta()?.id;
  if (typeof id !== 'string') return tidy(rest);
  schemas[id] ??= tidy(rest);
  return { $ref: `#/components/schemas/${id}` };
}

function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): ApiObject {
  const { $schema: _draft, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any', reused: 'inline' }) as ApiObject;
  return rest;
}

/** References lead to the components of the document; ids say nothing any more. */
function tidy(value: ApiObject): ApiObject {
  const text = JSON.stringify(value, (name, part: unknown) => (name === 'id' && typeof part === 'string' ? undefined : part));
  return JSON.parse(text.replaceAll('"#/$defs/', '"#/components/schemas/')) as ApiObject;
}

/** `putRoutesVHost`. */
function operationId(method: string, path: string): string {
  const words = path.split(/[^\w]+/).filter((word) => word !== '');
  return method + words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
}
