import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/support/seed.ts'],
    // Separate processes: the GPIO binding's native part must never be loaded in a worker thread.
    pool: 'forks',
    // More than there are processors only makes those late that do sums.
    maxWorkers: 2,
    reporters: ['default'],
    // What hangs is found; a busy machine is no failure.
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});
