/** A build of the program in which a host stops at a chosen step of a change: for faults, and for concurrent runs in the middle of one. */

import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { CHILD_BUNDLE } from './child-bundle.ts';

const root = new URL('../..', import.meta.url).pathname;

export type PausingProgram = { start(argv: readonly string[], home: string): ChildProcess; remove(): void };

const pause = (step: string): string =>
  `if [ "$(cat /run/fault-step 2>/dev/null)" = ${step} ]; then : >/run/fault-at; until [ -e /run/fault-go ]; do sleep 0.05; done; fi`;

/** Lines of the host scripts, with the pause after each. */
const PAUSES: Readonly<Record<string, string>> = {
  '  # tests pause the script at this point': pause('"$1"'),
  '# switched: not reported yet': pause('switched'),
  '    # commit: still unconfirmed': pause('commit'),
  '  # finish: confirmed': pause('kept'),
  '  # undo: partly done': pause('undo'),
};

/**
 * Builds the program so that a host stops at the step named in /run/fault-step, reports it in /run/fault-at, and continues when
 * /run/fault-go exists. Otherwise it equals the shipped program.
 */
export async function pausingProgram(): Promise<PausingProgram> {
  const directory = mkdtempSync(join(tmpdir(), 'docker-tls-faults-'));
  mkdirSync(join(directory, 'bin'));
  cpSync(join(root, 'bin/docker-tls.js'), join(directory, 'bin/docker-tls.js'));
  cpSync(join(root, 'package.json'), join(directory, 'package.json'));
  const put = new Set<string>();
  const pauses: Plugin = {
    name: 'pauses',
    setup(builder) {
      builder.onLoad({ filter: /\/src\/core\/host\/.*\.sh$/ }, ({ path }) => {
        let text = readFileSync(path, 'utf8');
        for (const [after, line] of Object.entries(PAUSES)) {
          if (!text.includes(after)) continue;
          text = text.replace(after, `${after}\n${line}`);
          put.add(after);
        }
        return { contents: text, loader: 'text' };
      });
    },
  };
  const define = { DOCKER_TLS_VERSION: JSON.stringify('0.0.0-faults') };
  await build({
    absWorkingDir: root,
    // esbuild's pieces run in an order of its own: features come before the program only if they are loaded before it.
    entryPoints: { features: 'src/features.ts', program: 'src/cli/main.ts' },
    outdir: join(directory, 'dist'),
    ...CHILD_BUNDLE,
    splitting: true,
    loader: { '.sh': 'text', '.html': 'text' },
    define,
    plugins: [pauses],
    logLevel: 'error',
  });
  const main = "await import('./features.js');\nexport const { main } = await import('./program.js');\n";
  writeFileSync(join(directory, 'dist/main.js'), main);
  const missing = Object.keys(PAUSES).filter((line) => !put.has(line));
  if (missing.length > 0) throw new Error(`no script has: ${missing.join(', ')}`);
  const bin = join(directory, 'bin/docker-tls.js');
  return {
    start: (argv, home) =>
      spawn(process.execPath, [bin, ...argv], {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...process.env, HOME: home },
      }),
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}
