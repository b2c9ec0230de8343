// Stands in for a request head that could not be understood, so that its answer passes through the same stages.
import { noHeaders } from '../http1/headers.js';
import type { RequestHead } from '../http1/message.js';

export const unreadableHead: RequestHead = {
  method: '-',
  line: '',
  target: '-',
  minor: 1,
  authority: '',
  headers: noHeaders,
  body: 0,
  keepAlive: false,
  upgrade: '',
  expectsContinue: false,
  connectionNames: null,
};
