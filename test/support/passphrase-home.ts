/** A store whose CA has a passphrase, with client ci: anew for each test of the file that calls this. */

import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeEach, expect } from 'vitest';
import { runCli } from './cli.ts';
import { newHome, removeHomes } from './store.ts';

export type PassphraseHome = {
  /** The store's directory. */
  readonly home: string;
  /** The working directory of the runs. */
  readonly directory: string;
  /** A file in it. `words` has the passphrase. */
  file(name: string): string;
  /** Runs with --json, without a terminal. */
  run(...argv: string[]): ReturnType<typeof runCli>;
};

export function passphraseHome(): PassphraseHome {
  let home = '';
  const made: PassphraseHome = {
    get home() {
      return home;
    },
    get directory() {
      return dirname(home);
    },
    file: (name) => join(made.directory, name),
    run: (...argv) =>
      runCli([...argv, '--home', home, '--json'], {
        cwd: made.directory,
        env: { HOME: made.directory, DOCKER_CONFIG: made.file('docker') },
      }),
  };
  beforeEach(async () => {
    home = newHome();
    writeFileSync(made.file('words'), 'correct horse\n', { mode: 0o600 });
    expect((await made.run('client', 'add', 'ci', '--ca-passphrase-file', 'words')).exit).toBe(0);
  });
  afterAll(() => removeHomes());
  return made;
}
