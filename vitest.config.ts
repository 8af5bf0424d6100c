import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/support/seed.ts'],
    // Separate processes: the GPIO binding's native part must never be loaded in a worker thread.
    pool: 'forks',
    // Most of the time of the long ones is waiting for a peer.
    maxWorkers: 3,
    reporters: ['default'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
