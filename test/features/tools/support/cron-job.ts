/** A job of cron that runs a stand-in for the program. */

import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

export const directory = mkdtempSync(join(tmpdir(), 'docker-tls schedule '));
export const program = join(directory, 'docker-tls');
export const calls = join(directory, 'calls');
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Stand-in for the program: records its arguments, and exits with `status`. */
export function stand(status: string): void {
  writeFileSync(
    program,
    `#!/bin/sh\necho "$*" >> '${calls}'\ncase "$*" in *--quiet*) ;; *) echo "out of $1";; esac\n${status}\n`,
  );
  chmodSync(program, 0o755);
  writeFileSync(calls, '');
}

export const options = {
  program: [program],
  home: join(directory, "it's $HOME 100%"),
  passphraseFile: join(directory, 'pass'),
};
/** The line that cron passes to the shell. */
export const lineOf = (crontab: string) =>
  (crontab.split('\n').find((one) => one.startsWith('23 4')) ?? '').replace('23 4 * * * ', '').replaceAll('\\%', '%');
