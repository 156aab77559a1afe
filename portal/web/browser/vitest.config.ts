import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['browser/*.test.ts'],
    globalSetup: ['browser/world.ts'],
    environment: 'node',
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
