import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Separate processes: the GPIO binding's native part must never be loaded in a worker thread.
    pool: 'forks',
    reporters: ['default'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
