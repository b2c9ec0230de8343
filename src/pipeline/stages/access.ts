// Who may reach a frontend: by address first, then by what the provider of its policy says. In doubt nobody passes.
import type { AuthProviders, FoundProvider } from '../../auth/auth-providers.js';
import type { PassRules } from '../../auth/provider.js';
import type { AuthQuestion, ShownCredential, Verdict } from '../../auth/verdict.js';
import { ProxyError } from '../../errors/proxy-error.js';
import type { Exchange } from '../../exchange/exchange.js';
import { Kind } from '../../http1/headers.js';
import type { Stage, StageResult } from '../stage.js';

export function createAccess(providers: Pick<AuthProviders, 'get'>): Stage {
  return (exchange) => {
    const policy = exchange.route?.policy ?? null;
    if (policy === null) return undefined;
    const { allow, deny, authProvider: name } = policy;
    const address = exchange.clientAddress;
    if (deny?.has(address) === true || allow?.has(address) === false) return new ProxyError('address-denied', address);
    if (name === undefined) return undefined;
    const found = providers.get(name);
    if (!(found instanceof Promise)) return decide(exchange, name, found);
    return found.then(
      (later) => decide(exchange, name, later),
      (error: unknown) => new ProxyError('auth-away', `auth:${name} cannot be read`, error),
    );
  };
}

function decide(exchange: Exchange, name: string, found: FoundProvider): StageResult | Promise<StageResult> {
  switch (found.kind) {
    case 'unknown':
      return new ProxyError('auth-away', `there is no auth:${name}`);
    case 'faulty':
      return new ProxyError('bad-auth-record', `auth:${name}`);
    case 'provider': {
      const { provider } = found;
      const verdict = provider.decide(new ExchangeQuestion(exchange));
      if (verdict instanceof Promise) return verdict.then((later) => settle(exchange, name, provider, later));
      return settle(exchange, name, provider, verdict);
    }
  }
}

function settle(exchange: Exchange, name: string, rules: PassRules, verdict: Verdict): StageResult {
  switch (verdict.kind) {
    case 'passed':
      exchange.claims = verdict.claims ?? null;
      pass(exchange, rules, verdict.headers);
      return undefined;
    case 'refused':
      exchange.responseLines += `WWW-Authenticate: ${verdict.challenge}\r\n`;
      return new ProxyError('auth-required', `auth:${name}`);
    case 'forbidden':
      exchange.responseLines += `WWW-Authenticate: ${verdict.challenge}\r\n`;
      return new ProxyError('access-denied', `auth:${name}`);
    case 'answered':
      return verdict.answer;
    case 'away':
      return new ProxyError('auth-away', `auth:${name}: ${verdict.detail}`);
    case 'busy':
      return new ProxyError('auth-busy', `auth:${name}`);
  }
}

/** The client's own copies of what a provider sets go, also where nothing takes their place. */
function pass(exchange: Exchange, { owned, stripAuthorization }: PassRules, added: readonly string[]): void {
  const { headers } = exchange.head;
  if (stripAuthorization && headers.has(Kind.authorization)) exchange.changes.remove('authorization');
  if (owned.size > 0) {
    for (let line = 0; line < headers.count; line++) {
      if (!owned.mayHave(headers.nameLengthAt(line))) continue;
      const name = headers.nameAt(line);
      if (owned.has(name)) exchange.changes.remove(name);
    }
    exchange.body.dropTrailers();
  }
  for (let at = 0; at + 1 < added.length; at += 2) exchange.changes.add(added[at] as string, added[at + 1] as string);
}

/** An exchange as checks see it; what is not looked at costs nothing. */
class ExchangeQuestion implements AuthQuestion {
  readonly #exchange: Exchange;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  get authorization(): string {
    return this.#exchange.head.headers.joined(Kind.authorization);
  }

  get method(): string {
    return this.#exchange.head.method;
  }

  get scheme(): string {
    return this.#exchange.scheme;
  }

  get host(): string {
    return this.#exchange.head.authority;
  }

  get target(): string {
    return this.#exchange.head.target;
  }

  get clientAddress(): string {
    return this.#exchange.clientAddress;
  }

  get shown(): ShownCredential | null {
    const { client } = this.#exchange;
    // Many people may come over a connection of a proxy in front.
    return client.trusted ? null : client.shown;
  }

  get requestId(): string {
    return this.#exchange.id;
  }

  get headerText(): string {
    return this.#exchange.head.headers.text;
  }

  header(name: string): string {
    return this.#exchange.head.headers.values(name).join(name.toLowerCase() === 'cookie' ? '; ' : ', ');
  }

  headerPairs(): readonly string[] {
    return this.#exchange.head.headers.pairs();
  }
}
