// Requests against node:http: what it refuses is refused, what both accept is understood alike, and neither waits where the other goes on.
import { compareWithNode } from '../../helpers/node-comparison.js';
import { NodeParser } from '../../helpers/node-parser.js';
import { requestTexts } from '../http-texts.js';
import { fuzzPart } from '../part.js';

let node: NodeParser;

export const messages = fuzzPart<string>({
  name: 'messages',
  cases: requestTexts,
  check: async (text) => {
    await compareWithNode(node, text);
  },
  perSecond: 700,
  open: async () => {
    node = new NodeParser();
    await node.start();
  },
  close: () => node.stop(),
});
