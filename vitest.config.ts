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
    include: ['test/**/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 300_000,
    maxWorkers: 2,
    server: { deps: { inline: ['inquirer', '@inquirer/prompts', '@inquirer/testing'] } },
  },
});
