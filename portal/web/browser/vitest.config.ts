import { defineConfig } from 'vitest/config';

const common = {
  globalSetup: ['browser/world.ts'],
  environment: 'node' as const,
  testTimeout: 240_000,
  hookTimeout: 120_000,
};

// What is measured runs when nothing else does.
export default defineConfig({
  test: {
    maxWorkers: 2,
    maxConcurrency: 2,
    projects: [
      { test: { ...common, name: 'pages', include: ['browser/*.test.ts'], exclude: ['browser/budget.test.ts'], sequence: { groupOrder: 0 } } },
      { test: { ...common, name: 'budget', include: ['browser/budget.test.ts'], sequence: { groupOrder: 1 } } },
    ],
  },
});
