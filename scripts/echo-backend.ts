// The backend of scripts that measure, in a process of its own: prints its URL, ends with stdin.
import { startEchoBackend } from '../test/helpers/keep-alive-load.js';

const { url } = await startEchoBackend();
process.stdout.write(`${url}\n`);
process.stdin.resume().on('end', () => process.exit(0));
