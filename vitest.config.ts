// The test runner: real servers on free ports of 127.0.0.1, no retries (a flaky test is a defect).
//
// Three processes run all files and load the product once each: that would take longer than most files do. Three on two cores, because tests
// wait for limits of time as long as they work (280 instead of 480 s). A file leaves its process as it found it: what it replaces for a while (clocks, functions, streams) it puts back, and what it starts it stops.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    isolate: false,
    maxWorkers: 3,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    retry: 0,
    globalSetup: ['test/helpers/global-setup.ts'],
  },
});
