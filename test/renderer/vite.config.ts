/**
 * Builds the screens alone, as the application's build does, for fake-host.ts to serve. The application itself is built by
 * electron.vite.config.ts.
 */
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

export default defineConfig({
  root: `${import.meta.dirname}/../../src-renderer`,
  base: './',
  plugins: [svelte()],
  build: {
    target: 'chrome108',
    assetsInlineLimit: 0,
    outDir: process.env.RENDERER_OUT ?? `${import.meta.dirname}/../../out/renderer-alone`,
    emptyOutDir: true,
  },
});
