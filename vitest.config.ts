import { readFileSync } from 'node:fs';
import { defineConfig } from 'vitest/config';

/** Shell scripts are text to the product (esbuild's loader does the same in scripts/build.mjs). */
const shellAsText = {
  name: 'shell-as-text',
  enforce: 'pre' as const,
  load(id: string): string | undefined {
    if (!id.endsWith('.sh')) return undefined;
    return `export default ${JSON.stringify(readFileSync(id, 'utf8'))};`;
  },
};

export default defineConfig({
  plugins: [shellAsText],
  define: { DOCKER_TLS_VERSION: JSON.stringify('0.0.0-test') },
  test: {
    testTimeout: 120_000,
    hookTimeout: 300_000,
    server: { deps: { inline: ['inquirer', '@inquirer/prompts', '@inquirer/testing'] } },
    projects: [
      {
        extends: true,
        test: {
          name: 'here',
          include: ['test/{unit,property,golden,cli,integration}/**/*.test.ts'],
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        // Real hosts share this machine's cores, and some tests measure what a busy client sees: one file at a time.
        // In CI a test that fails is tried again: only what fails three times is red.
        extends: true,
        test: {
          name: 'hosts',
          include: ['test/e2e/**/*.test.ts'],
          fileParallelism: false,
          maxWorkers: 1,
          retry: process.env.CI ? 2 : 0,
          testTimeout: 300_000,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
