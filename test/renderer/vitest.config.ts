/** Runs the tests of the screens' state and helpers alone: `vitest run --config test/renderer/vitest.config.ts`. */
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  cacheDir: `${import.meta.dirname}/../../node_modules/.vite/renderer`,
  plugins: [svelte()],
  test: { root: import.meta.dirname, include: ['**/*.test.ts'] },
});
