// What an import gives, whatever it was made from.
import type { BackendBody } from '../../management/operations/schemas.js';

/** A document for `apply`, and one line for each thing that it could not take over. */
export interface ImportedState {
  readonly document: Readonly<Record<string, unknown>>;
  readonly warnings: readonly string[];
}

/** A route of it; further members are fields of its policy. */
export interface ImportedRoute {
  readonly id: string;
  readonly strategy: string;
  readonly backends: readonly BackendBody[];
  readonly [field: string]: unknown;
}
