import { defineConfig } from 'vitest/config';

const project = (name: string, groupOrder: number, include: string[], exclude: string[] = []) => ({
  test: { name, include, exclude, maxConcurrency: 2, sequence: { groupOrder }, globalSetup: ['browser/world.ts'], environment: 'node' as const, retry: 1, testTimeout: 240_000, hookTimeout: 120_000, expect: { poll: { timeout: 15_000 } } },
});

// A case that a busy machine makes late is repeated once. The cases that measure time run when nothing else does.
export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      project('pages', 0, ['browser/**/*.test.ts'], ['browser/live.test.ts', 'browser/budget.test.ts']),
      project('live', 1, ['browser/live.test.ts']),
      project('budget', 2, ['browser/budget.test.ts']),
    ],
  },
});
