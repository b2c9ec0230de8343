// Hosts of nginx: `server` blocks with `proxy_pass`, the upstreams that they name, and lists of hosts as a `map` has them.
import type { BackendBody } from '../../management/operations/schemas.js';
import { backendOf } from '../backend-text.js';
import { CommandError } from '../command-error.js';
import type { ImportedRoute, ImportedState } from './imported-state.js';
import { type Directive, parseNginx } from './nginx-syntax.js';

interface Upstream {
  readonly backends: readonly BackendBody[];
  readonly strategy: string;
}

/** Directives that choose a backend. */
const strategies: Readonly<Record<string, string>> = { least_conn: 'LEAST_CONNECTIONS', ip_hash: 'IP_HASH', random: 'RANDOM' };
const standardStrategy = 'ROUND_ROBIN';
/** What stands around servers, and is looked into. */
const containers = ['http', 'server', 'location', 'map', 'upstream'];

/** What is made of one file. */
class Import {
  readonly routes: Record<string, ImportedRoute> = {};
  readonly warnings: string[] = [];
  readonly #file: string;
  readonly #upstreams = new Map<string, Upstream>();

  constructor(file: string, directives: readonly Directive[]) {
    this.#file = file;
    for (const directive of directives) if (directive.name === 'upstream') this.#readUpstream(directive);
    for (const directive of directives) this.#read(directive);
  }

  #read(directive: Directive): void {
    const { name, block, words } = directive;
    if (name === 'upstream') return;
    if (name === 'server' && block !== null) this.#readServer(block, directive);
    else if (name === 'map' && block !== null) for (const line of block) this.#readLine(line);
    else if (block === null && words.length >= 2) this.#readLine(directive);
    else this.#leaveOut(directive, 'it is no server, map or host with its backends');
  }

  #readUpstream({ words, block }: Directive): void {
    const backends: BackendBody[] = [];
    let strategy = standardStrategy;
    for (const inside of block ?? []) {
      const known = strategies[inside.name];
      if (inside.name === 'server') {
        const backend = this.#backend(inside, inside.words[1] ?? '', inside.words.slice(2));
        if (backend !== null) backends.push(backend);
      } else if (known !== undefined) strategy = known;
      else if (!['keepalive', 'zone'].includes(inside.name)) this.#leaveOut(inside);
    }
    this.#upstreams.set(words[1] ?? '', { backends, strategy });
  }

  #readServer(block: readonly Directive[], server: Directive): void {
    const names = block.filter(({ name }) => name === 'server_name').flatMap(({ words }) => words.slice(1));
    const byDefault = block.some(({ name, words }) => name === 'listen' && words.includes('default_server'));
    const hosts = [...names.flatMap((name) => this.#hosts(name, server)), ...(byDefault ? ['*'] : [])];
    if (hosts.length === 0) {
      this.#leaveOut(server, 'it has no server_name that can be taken over');
      return;
    }
    for (const inside of block) {
      if (inside.name === 'location') this.#readLocation(inside, hosts);
      else if (inside.name === 'proxy_pass') this.#put(hosts, '', inside);
      else if (!['server_name', 'listen'].includes(inside.name)) this.#leaveOut(inside);
    }
  }

  #readLocation(location: Directive, hosts: readonly string[]): void {
    const [, first = '', second] = location.words;
    const path = first === '^~' ? (second ?? '') : first;
    if ((second !== undefined && first !== '^~') || !path.startsWith('/')) {
      this.#leaveOut(location, 'only prefixes are taken over');
      return;
    }
    for (const inside of location.block ?? []) {
      if (inside.name === 'proxy_pass') this.#put(hosts, path.replace(/\/+$/, ''), inside);
      // These are written without being asked for.
      else if (!/^proxy_(?:set_header|http_version|buffering|request_buffering)$/.test(inside.name)) this.#leaveOut(inside);
    }
  }

  /** `host backend…;` */
  #readLine(line: Directive): void {
    if (line.name === 'hostnames') return;
    const [host = '', ...targets] = line.words;
    const hosts = host === 'default' ? ['*'] : this.#hosts(host, line);
    const named = targets.map((target) => this.#upstreams.get(target.replace(/^https?:\/\//, '')));
    const [upstream] = named;
    const backends = targets.flatMap((target, at) => named[at]?.backends ?? this.#backend(line, target, []) ?? []);
    if (backends.length > 0) for (const one of hosts) this.#add(one, backends, upstream?.strategy ?? standardStrategy, {}, line);
  }

  /** @param pass `proxy_pass http://upstream;` or `http://10.0.0.1:3000/path` */
  #put(hosts: readonly string[], prefix: string, pass: Directive): void {
    const [, scheme = '', authority = '', path = ''] =
      /^(https?):\/\/(unix:[^:]+|[^/]+):?(\/.*)?$/.exec(pass.words[1] ?? '') ?? [];
    if (authority === '' || authority.includes('$')) {
      this.#leaveOut(pass, 'only http://… and https://… without variables are taken over');
      return;
    }
    const upstream = this.#upstreams.get(authority);
    const direct = upstream === undefined ? this.#backend(pass, authority, []) : null;
    const plain = upstream?.backends ?? (direct === null ? [] : [direct]);
    const backends = scheme === 'https' ? plain.map((backend): BackendBody => secured(backend, upstream !== undefined)) : plain;
    // A path behind the address takes the place of the prefix: the root is what stripPrefix gives.
    if (path !== '' && path !== '/')
      this.#leaveOut(pass, `requests go to the same backends, but their path is not changed to ${path}`);
    const policy = path === '/' && prefix !== '' ? { stripPrefix: true } : {};
    for (const host of hosts) this.#add(`${host}${prefix}`, backends, upstream?.strategy ?? standardStrategy, policy, pass);
  }

  #add(name: string, backends: readonly BackendBody[], strategy: string, policy: object, place: Directive): void {
    if (this.routes[name] !== undefined) {
      this.#leaveOut(place, `${name} is there already; in nginx the first one wins`);
      return;
    }
    this.routes[name] = { id: name, strategy, backends, ...policy };
  }

  /** `.a.example` is the host and all below it. */
  #hosts(name: string, place: Directive): string[] {
    if (name === '_' || name === '') return [];
    const wanted = name.startsWith('.') ? [name.slice(1), `*${name}`] : [name];
    if (wanted.every((host) => /^(?:\*\.)?[\w-]+(?:\.[\w-]+)*(?::\d+)?$/.test(host)))
      return wanted.map((host) => host.toLowerCase());
    this.#leaveOut(place, `the name ${name} is no host and no *.suffix: write it as a pattern`);
    return [];
  }

  #backend(place: Directive, address: string, parameters: readonly string[]): BackendBody | null {
    if (parameters.includes('down')) {
      this.#leaveOut(place, `${address} is down`);
      return null;
    }
    const weight = parameters.map((one) => /^weight=(\d+)$/.exec(one)?.[1]).find((number) => number !== undefined);
    const options = [...(weight === undefined ? [] : [`weight=${weight}`]), ...(parameters.includes('backup') ? ['backup'] : [])];
    try {
      return backendOf(
        `${/^(?:https?:\/\/|unix:)/.test(address) ? '' : 'http://'}${address}${options.length === 0 ? '' : `#${options.join('&')}`}`,
      );
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      this.#leaveOut(place, error.message);
      return null;
    }
  }

  #leaveOut({ words, line, name }: Directive, why = ''): void {
    const shown = containers.includes(name) ? words.join(' ') : name;
    this.warnings.push(`${this.#file}:${line}: ${shown} is left out${why === '' ? '' : `: ${why}`}`);
  }
}

/** @throws CommandError for a file whose syntax is wrong */
export function importNginx(text: string, file: string): ImportedState {
  const top = parseNginx(text, file);
  const directives = top.flatMap((directive) => (directive.name === 'http' ? (directive.block ?? []) : [directive]));
  const isServer = directives.some(({ name, block }) => name === 'server' && block !== null);
  // Beside servers, directives of one line are settings of nginx and no hosts.
  const hosts = directives.filter(({ block }) => !isServer || block !== null);
  const { routes, warnings } = new Import(file, hosts);
  if (Object.keys(routes).length === 0) throw new CommandError(`${file} has no host with a backend`);
  return { document: { cjsProxy: 1, routes }, warnings };
}

function secured(backend: BackendBody, inUpstream: boolean): BackendBody {
  return { ...backend, protocol: 'https', ...(inUpstream || backend.port !== 80 ? {} : { port: 443 }) };
}
