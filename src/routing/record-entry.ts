// A record as a worker keeps it: with whether it is still true, and no more of it than there is.
import type { DeadMark, FrontendRecord } from '../model/frontend.js';

/** What few records have. */
type Beyond = Omit<FrontendRecord, 'name' | 'list'>;

/** Of the others, of which there may be a hundred thousand. */
const nothing: Beyond = Object.freeze({
  dead: Object.freeze([]),
  marks: Object.freeze([]),
  deadUntil: Number.POSITIVE_INFINITY,
  policy: Object.freeze([]),
  policyFault: '',
  fault: '',
});
const noList: readonly string[] = Object.freeze([]);

/**
 * A record as it was read: all of it is empty until then, and never changes after. `live` until a change of it is told, which may be
 * while the reply is still on its way: such a record may answer who waited for it, and nobody after. What is live can be found by its
 * name, so that a change always reaches it.
 */
export class RecordEntry implements FrontendRecord {
  readonly name: string;
  live = true;
  /** Answers that were made from it and are kept. */
  users = 0;
  #list = noList;
  #beyond = nothing;

  constructor(name: string) {
    this.name = name;
  }

  get list(): readonly string[] {
    return this.#list;
  }

  get dead(): readonly string[] {
    return this.#beyond.dead;
  }

  get marks(): readonly DeadMark[] {
    return this.#beyond.marks;
  }

  get deadUntil(): number {
    return this.#beyond.deadUntil;
  }

  get policy(): readonly string[] {
    return this.#beyond.policy;
  }

  get policyFault(): string {
    return this.#beyond.policyFault;
  }

  get fault(): string {
    return this.#beyond.fault;
  }

  /** The record was read. */
  fill(record: FrontendRecord): void {
    this.#list = record.list;
    if (!isPlain(record)) this.#beyond = record;
  }
}

function isPlain({ dead, marks, deadUntil, policy, policyFault, fault }: Beyond): boolean {
  const unmarked = dead.length === 0 && marks.length === 0 && deadUntil === Number.POSITIVE_INFINITY;
  return unmarked && policy.length === 0 && policyFault === '' && fault === '';
}
