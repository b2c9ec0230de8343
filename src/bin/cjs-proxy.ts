#!/usr/bin/env node
// The command `cjs-proxy`.
import { main } from '../cli/main.js';

const code = await main(process.argv.slice(2), process.env);
// A running proxy keeps the process alive and sets the code itself.
if (code !== 0) process.exitCode = code;
