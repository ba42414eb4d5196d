/**
 * How the workbench is built: the main-side entries and the preload as CommonJS, the renderer for Chromium 108 and later.
 * It says nothing about how to start or test the result (package.json's scripts do).
 */
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'electron-vite';

/** The oldest Electron that the window runs in is 22: Node 16 in its main process, Chromium 108 in its window. */
const oldestNode = 'node16.17';
const oldestChromium = 'chrome108';

/** `.cjs`, because package.json says `"type": "module"`. Libraries stay in node_modules. */
const commonJs = {
  format: 'cjs',
  entryFileNames: '[name].cjs',
  chunkFileNames: 'chunks/[name]-[hash].cjs',
} as const;

export default defineConfig({
  main: {
    build: {
      target: oldestNode,
      rolldownOptions: {
        input: {
          main: 'src-main/main.ts',
          host: 'src-main/host.ts',
          compute: 'src-main/compute.ts',
          cli: 'src-main/cli.ts',
        },
        output: commonJs,
      },
    },
  },
  preload: {
    build: {
      target: oldestNode,
      // A sandboxed preload cannot require anything but electron: it is one file.
      externalizeDeps: false,
      rolldownOptions: { input: { preload: 'src-main/preload.ts' }, output: commonJs },
    },
  },
  renderer: {
    root: 'src-renderer',
    plugins: [svelte()],
    build: {
      target: oldestChromium,
      rolldownOptions: {
        input: 'src-renderer/index.html',
        // Its list of all decompressors starts WebAssembly as soon as it is loaded, which the policy refuses; each by itself is used.
        treeshake: { moduleSideEffects: [{ test: /hyparquet-compressors/, sideEffects: false }] },
      },
      // The page's content security policy refuses inline data for scripts and fonts alike.
      assetsInlineLimit: 0,
    },
  },
});
