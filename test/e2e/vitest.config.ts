/**
 * End-to-end tests: the built workbench in a real Chromium and a real Electron, one file at a time on a small machine.
 * Unit and parity tests have their own configuration one folder up.
 */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ['**/*.test.ts'],
    globalSetup: ['./display.ts'],
    testTimeout: 180_000,
    hookTimeout: 120_000,
    // What a page shows is polled for as long as Playwright waits for an element
    expect: { poll: { timeout: 30_000 } },
    fileParallelism: false,
  },
});
