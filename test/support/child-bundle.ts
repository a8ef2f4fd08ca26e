/** Options of esbuild for code of child processes: one file with its libraries, which starts in half the time. */

import type { BuildOptions } from 'esbuild';

export const CHILD_BUNDLE = {
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  mainFields: ['module', 'main'],
  // Optional parts of ssh2, which it tries to load.
  external: ['cpu-features', '*.node'],
  banner: {
    js: [
      "import { createRequire as __createRequire } from 'node:module';",
      'const require = __createRequire(import.meta.url);',
      'const __dirname = import.meta.dirname;',
      'const __filename = new URL(import.meta.url).pathname;',
    ].join('\n'),
  },
} as const satisfies BuildOptions;
