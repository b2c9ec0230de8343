// The engine contract over the http-proxy package.
import { engineContract } from './engine.contract.js';

engineContract('http-proxy', {
  engine: 'http-proxy',
  skip: [
    {
      case: 'leaves bytes beyond ASCII as they are in a request with an expectation too',
      reason: 'node:http sends a head with Expect as UTF-8, every other one as latin1',
    },
    {
      case: 'keeps the place of lines of one name among others',
      reason: 'node:http sends the lines of one name next to each other',
    },
    {
      case: 'keeps several Cookie lines apart',
      reason: 'node:http joins Cookie lines into one, which means the same (RFC 6265 section 5.4)',
    },
  ],
});
