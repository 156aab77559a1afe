import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['browser/pictures.ts'],
    globalSetup: ['browser/world.ts'],
    environment: 'node',
    testTimeout: 900_000,
    hookTimeout: 180_000,
  },
});
