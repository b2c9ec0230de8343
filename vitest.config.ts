// The test runner: real servers on free ports of 127.0.0.1, no retries (a flaky test is a defect).
//
// Two processes run all files and load the product once each: that would take longer than most files do. So a file leaves its process as it
// found it: what it replaces for a while (clocks, functions, streams) it puts back, and what it starts it stops.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    isolate: false,
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    retry: 0,
    globalSetup: ['test/helpers/global-setup.ts'],
  },
});
