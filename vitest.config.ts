import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { needsOwnProcess } from './test/support/own-process.ts';

/** Shell scripts are text to the product (esbuild's loader does the same in scripts/build.mjs). */
const shellAsText = {
  name: 'shell-as-text',
  enforce: 'pre' as const,
  load(id: string): string | undefined {
    if (!id.endsWith('.sh')) return undefined;
    return `export default ${JSON.stringify(readFileSync(id, 'utf8'))};`;
  },
};

const files = (...names: readonly string[]) => names.map((name) => `test/e2e/${name}.test.ts`);

/** Needs the machine to itself: it counts what a busy client sees. */
const ALONE = files('no-client-refused');

/** Tests that are never tried again: what they look for may happen once in many times. */
const ONCE = files('faults', 'held-port', 'remove', 'rollback', 'rollback-obstacles');

/** The single executable (scripts/single.mjs) of a whole run of scripts/test. */
const { DOCKER_TLS_PROGRAM = '' } = process.env;

const isThere = (path: string) => existsSync(new URL(path, import.meta.url));

/** A test whose file may have moved. `needs`: features that it goes with (scripts/without). */
function present(path: string, ...needs: readonly string[]): readonly string[] {
  if (needs.some((name) => !isThere(`src/features/${name}`))) return [];
  if (!isThere(path)) throw new Error(`vitest.config.ts names ${path}, which is not there`);
  return [path];
}

/** Paths of the test files below a directory. */
function testsBelow(directory: string): readonly string[] {
  return readdirSync(new URL(directory, import.meta.url), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => `${directory}/${name}`);
}

/** Tests on hosts with the build for Node.js, which npm's package has, in every run. */
const NODE_BUILD = files(
  ...['clients', 'haproxy-install', 'kernel', 'lab', 'lab-client', 'modes', 'names', 'packages'],
  ...['pictures', 'pipelines', 'release', 'screens', 'site', 'status', 'take-over', 'tmux'],
);

/**
 * With the single executable where a run has one, in place of the build for Node.js, since a run of it takes a quarter less of CPU. ONCE runs
 * with it as well.
 */
const SINGLE = [
  ...present('test/cli/program.test.ts'),
  ...present('test/features/completion/cli/program.test.ts', 'completion'),
  ...present('test/features/openssh/cli/named-config.test.ts', 'openssh'),
  ...present('test/features/issuers/cli/team-signer.test.ts', 'issuers', 'team'),
  ...testsBelow('test/e2e').filter((path) => ![...NODE_BUILD, ...ONCE, ...ALONE].includes(path)),
].filter(() => DOCKER_TLS_PROGRAM !== '');

/** Tests whose files share a process and its modules, one after another: loading them takes longer than most of these tests. */
const SHARED = testsBelow('test').filter(
  (path) => !needsOwnProcess(path, readFileSync(new URL(path, import.meta.url), 'utf8')),
);

/** In CI other tests on hosts are tried again: only what fails three times is red, or more than three that passed on a retry (scripts/test-report.mjs). */
const retry = process.env.CI ? 2 : 0;

/** Those on hosts that take longest, as the last lines of a run say: first, so that none is left alone at its end. */
const LONGEST = files(
  ...['kernel', 'each-fix', 'settings', 'haproxy', 'without-systemd', 'package', 'audit', 'docs', 'rootless', 'doctor'],
  ...['ca', 'rotation', 'harden', 'external-ca', 'haproxy-podman', 'strange', 'setup', 'names', 'firewalls', 'ssh'],
);

function rank({ moduleId }: TestSpecification): number {
  const place = LONGEST.findIndex((file) => moduleId.endsWith(`/${file}`));
  return place === -1 ? LONGEST.length : place;
}

/** Hosts mostly wait, and other tests mostly compute: they take turns. */
class InTurn extends BaseSequencer {
  override async sort(specs: TestSpecification[]): Promise<TestSpecification[]> {
    const places = new Map<TestSpecification, number>();
    const sorted = await super.sort(specs);
    // A process is kept for the next file alone: those that share one come first, side by side.
    for (const spec of sorted) if (!spec.project.config.isolate) places.set(spec, -1);
    for (const group of [true, false]) {
      const same = sorted.filter((spec) => !places.has(spec) && spec.moduleId.includes('/test/e2e/') === group);
      same
        .sort((one, other) => rank(one) - rank(other))
        .forEach((spec, index) => {
          places.set(spec, index / same.length);
        });
    }
    return sorted.toSorted((one, other) => (places.get(one) ?? 0) - (places.get(other) ?? 0));
  }
}

export default defineConfig({
  plugins: [shellAsText],
  define: { DOCKER_TLS_VERSION: JSON.stringify('0.0.0-test') },
  test: {
    testTimeout: 300_000,
    hookTimeout: 300_000,
    expect: { poll: { timeout: 30_000 } },
    globalSetup: ['test/support/build-once.ts'],
    setupFiles: ['src/features.ts', 'test/support/messages.ts'],
    sequence: { sequencer: InTurn },
    maxWorkers: 4,
    env: { DOCKER_TLS_PROGRAM: '' },
    server: { deps: { inline: ['inquirer', '@inquirer/prompts', '@inquirer/testing'] } },
    projects: [
      {
        extends: true,
        test: {
          name: 'here-apart',
          include: ['test/{core,cli,formats,features}/**/*.test.ts'],
          exclude: [...SINGLE, ...SHARED],
        },
      },
      // What a test puts into the environment goes after it.
      {
        extends: true,
        test: { name: 'here-shared', include: SHARED, exclude: SINGLE, isolate: false, unstubEnvs: true },
      },
      {
        extends: true,
        test: {
          name: 'hosts',
          include: ['test/e2e/**/*.test.ts'],
          exclude: [...ONCE, ...ALONE, ...SINGLE],
          testTimeout: 300_000,
          retry,
        },
      },
      {
        extends: true,
        test: { name: 'single', include: SINGLE, testTimeout: 300_000, retry, env: { DOCKER_TLS_PROGRAM } },
      },
      { extends: true, test: { name: 'once', include: ONCE, testTimeout: 300_000, env: { DOCKER_TLS_PROGRAM } } },
      {
        extends: true,
        test: { name: 'alone', include: ALONE, testTimeout: 300_000, maxWorkers: 1, sequence: { groupOrder: 1 } },
      },
    ],
  },
});
