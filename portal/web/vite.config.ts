import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  plugins: [svelte()],
  build: {
    outDir: 'dist/pages',
    emptyOutDir: true,
    target: 'es2023',
    assetsInlineLimit: 0, // a data: URL is what the content security policy refuses
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: { proxy: { '/api': 'http://127.0.0.1:4320', '/v1': 'http://127.0.0.1:4320', '/v2.1': 'http://127.0.0.1:4320' } },
  test: { include: ['src/**/*.test.ts'], environment: 'node' },
});
