// The test runner: real servers on free ports of 127.0.0.1, no retries (a flaky test is a defect).
//
// Loading the product takes longer than most files of tests do. The parts that run it in their own process therefore share one process
// and its modules between their files; the others start processes anyway, or look at one as a whole, and have a process each.
import { defineConfig } from 'vitest/config';

/** Folders of tests whose files share a process. */
const sharing = ['unit', 'wire', 'contract', 'fuzz'];
const all = ['test/**/*.test.ts'];
const shared = sharing.map((folder) => `test/${folder}/**/*.test.ts`);

export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    retry: 0,
    globalSetup: ['test/helpers/global-setup.ts'],
    projects: [
      { extends: true, test: { name: 'shared', include: shared, isolate: false } },
      { extends: true, test: { name: 'apart', include: all, exclude: shared } },
    ],
  },
});
