#!/usr/bin/env node
// The command `cjs-proxy`.
import { tuneEngine } from '../base/engine-flags.js';

// Before anything else is loaded: see there.
tuneEngine();
const { main } = await import('../cli/main.js');
const code = await main(process.argv.slice(2), process.env);
// Not process.exit(): what was written to a pipe may still be on its way.
if (code !== 0) process.exitCode = code;
