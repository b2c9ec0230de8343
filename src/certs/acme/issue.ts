// One certificate from the order to the chain (RFC 8555 section 7.4). What was begun is told at each step, so that another node can go on.
import { setTimeout as pause } from 'node:timers/promises';
import type { ChallengeKind } from '../../config/config.js';
import type { AcmeClient, AcmeObject } from './acme-client.js';
import { AcmeProblem, problemOf } from './acme-problem.js';
import type { Challenge, Proofs } from './proofs.js';
import { certificateRequest, newPrivateKey } from './x509.js';

/** What is known of an order that is under way. */
export interface OrderProgress {
  /** URL; empty: there is none. */
  readonly order: string;
  /** PEM; empty: the certificate was not asked for yet. */
  readonly key: string;
}

export interface IssueRequest {
  readonly client: AcmeClient;
  /** A host, or `*.suffix`. */
  readonly name: string;
  /** Ways to prove it that are allowed, the one to be tried first. */
  readonly kinds: readonly ChallengeKind[];
  /** Id of the certificate that it takes the place of, for the authority; empty: none. */
  readonly replaces: string;
  readonly proofs: Proofs;
  readonly progress: OrderProgress;
  readonly save: (progress: OrderProgress) => Promise<void>;
  readonly signal: AbortSignal;
}

/** PEM. */
export interface IssuedPair {
  readonly certificate: string;
  readonly key: string;
}

/** Milliseconds for each thing that the authority is waited for. */
const patience = 300_000;
const firstLook = 100;
const longestLook = 15_000;

/** Rejects with an AcmeProblem, or with an Error in one line. */
export async function issueCertificate(request: IssueRequest): Promise<IssuedPair> {
  const { client, name, save } = request;
  let order = (await resumedOrder(request)) ?? (await newOrder(request));
  let { key } = request.progress.order === order.url ? request.progress : { key: '' };
  if (order.fields.status === 'pending') {
    for (const url of textsOf(order.fields.authorizations)) await prove(request, url);
    order = await settled(request, order, ['pending']);
  }
  if (order.fields.status === 'ready') {
    key = newPrivateKey();
    // Before it is used: a certificate for a key that nobody has would be lost.
    await save({ order: order.url, key });
    const finalized = await client.finalize(textOf(order.fields.finalize), certificateRequest(name, key));
    // The answer stands under the URL of `finalize`.
    order = { ...finalized, url: order.url };
  }
  order = await settled(request, order, ['ready', 'processing']);
  const certificate = textOf(order.fields.certificate);
  if (order.fields.status !== 'valid' || certificate === '' || key === '')
    throw orderProblem(order, 'the order came to no certificate');
  return { certificate: await client.download(certificate), key };
}

/** The order that was begun, if it still can come to a certificate. */
async function resumedOrder({ client, progress }: IssueRequest): Promise<AcmeObject | null> {
  if (progress.order === '') return null;
  try {
    const order = await client.look(progress.order);
    const { status } = order.fields;
    if (status === 'pending' || status === 'ready') return order;
    return (status === 'processing' || status === 'valid') && progress.key !== '' ? order : null;
  } catch (error) {
    // Of another account, or forgotten.
    if (error instanceof AcmeProblem && error.status >= 400 && error.status < 500 && error.type !== 'rateLimited') return null;
    throw error;
  }
}

async function newOrder({ client, name, replaces, save }: IssueRequest): Promise<AcmeObject> {
  const order = await client.order(name, replaces).catch((error: unknown) => {
    // RFC 9773 section 5: what was replaced already cannot be replaced again.
    const mayBeAbout = error instanceof AcmeProblem && ['alreadyReplaced', 'malformed', 'conflict'].includes(error.type);
    if (replaces === '' || !mayBeAbout) throw error;
    return client.order(name, '');
  });
  await save({ order: order.url, key: '' });
  return order;
}

/** Proves one name (section 7.5). */
async function prove(request: IssueRequest, url: string): Promise<void> {
  const { client, name, kinds, proofs } = request;
  const authorization = await client.look(url);
  if (authorization.fields.status === 'valid') return;
  const offered = objectsOf(authorization.fields.challenges);
  const kind = kinds.find((one) => offered.some(({ type }) => type === one));
  const chosen = offered.find(({ type }) => type === kind);
  if (kind === undefined || chosen === undefined) {
    const types = offered.map(({ type }) => textOf(type)).join(', ');
    throw new Error(`the authority offers ${types || 'no challenge'} for ${name}; allowed here: ${kinds.join(', ')}`);
  }
  const token = textOf(chosen.token);
  const challenge: Challenge = { kind, name, token, keyAuthorization: await client.keyAuthorization(token) };
  try {
    await proofs.present(challenge);
    await client.answer(textOf(chosen.url));
    const decided = await settled(request, authorization, ['pending']);
    if (decided.fields.status !== 'valid') throw challengeProblem(decided, kind);
  } finally {
    // What stays behind expires, or harms nobody.
    await proofs.withdraw(challenge).catch(() => undefined);
  }
}

/** Looks again and again, at the pace that the authority asks for, until an object leaves some states. */
async function settled({ client, signal }: IssueRequest, object: AcmeObject, states: readonly string[]): Promise<AcmeObject> {
  const deadline = performance.now() + patience;
  let current = object;
  for (let wait = firstLook; states.includes(textOf(current.fields.status)); wait = Math.min(wait * 1.5, longestLook)) {
    if (performance.now() > deadline) throw new Error(`the authority did not decide within ${patience} ms: ${object.url}`);
    await pause(Math.min(Math.max(wait, current.retryAfter), longestLook), undefined, { signal });
    current = await client.look(object.url);
  }
  return current;
}

function challengeProblem({ fields }: AcmeObject, kind: ChallengeKind): AcmeProblem {
  const failed = objectsOf(fields.challenges).find(({ error }) => error !== undefined);
  const { type, message } = problemOf(failed?.error, 0);
  const said = failed === undefined ? `the authorization is ${textOf(fields.status)}` : message;
  return new AcmeProblem(type, `${kind}: ${said.replace(`${type}: `, '')}`, 0);
}

function orderProblem({ fields }: AcmeObject, otherwise: string): Error {
  return fields.error === undefined ? new Error(`${otherwise}: it is ${textOf(fields.status)}`) : problemOf(fields.error, 0);
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}

function objectsOf(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'object' && one !== null) : [];
}
