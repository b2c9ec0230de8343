// The parts of the fuzz.
import type { FuzzPart } from './part.js';
import { chunks } from './parts/chunks.js';
import { configurations } from './parts/configurations.js';
import { greetings } from './parts/greetings.js';
import { requestHeads, responseHeads } from './parts/heads.js';
import { messages } from './parts/messages.js';
import { pipelines } from './parts/pipelines.js';
import { preambles } from './parts/preambles.js';
import { records } from './parts/records.js';

/** All of them: each makes and checks cases of a kind of its own. */
export const fuzzParts: readonly FuzzPart[] = [
  requestHeads,
  responseHeads,
  chunks,
  messages,
  pipelines,
  greetings,
  preambles,
  records,
  configurations,
];
