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

/** Tests that count what a busy client sees, cut a run at a moment, or boot a virtual machine. */
const ALONE = ['faults', 'held-port', 'kernel', 'no-client-refused', 'rotation'].map(
  (name) => `test/e2e/${name}.test.ts`,
);

/** In CI a test on a host that fails is tried again: only what fails three times is red. */
const onHosts = { retry: process.env.CI ? 2 : 0, testTimeout: 300_000 };

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
        // Real hosts mostly wait: for a boot, a restart, a timer. Three files at a time keep two cores busy.
        extends: true,
        test: {
          ...onHosts,
          name: 'hosts',
          include: ['test/e2e/**/*.test.ts'],
          exclude: ALONE,
          maxWorkers: 3,
          sequence: { groupOrder: 1 },
        },
      },
      {
        // What these measure, or what they boot, needs the machine to itself: one file at a time.
        extends: true,
        test: {
          ...onHosts,
          name: 'alone',
          include: ALONE,
          fileParallelism: false,
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
