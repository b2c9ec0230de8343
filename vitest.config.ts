// The test runner: one process a file, real servers on free ports of 127.0.0.1, no retries (a flaky test is a defect).
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    retry: 0,
    globalSetup: ['test/helpers/global-setup.ts'],
  },
});
