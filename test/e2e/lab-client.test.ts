/** `scripts/lab client` on a Debian that has no docker command yet: apt's own answers stand in, nothing is installed here. */

import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';

const LAB = new URL('../../scripts/lab', import.meta.url).pathname;
const TOOLS = [
  'bash',
  'sh',
  'readlink',
  'dirname',
  'uname',
  'mkdir',
  'flock',
  'tail',
  'cat',
  'chmod',
  'sed',
  'id',
  'env',
];
const directories: string[] = [];
afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true });
});

/** A machine whose apt knows the packages given, and whose PATH has no docker before one of them is installed. */
function machine(known: readonly string[]) {
  const directory = mkdtempSync(join(tmpdir(), 'docker-tls-client-'));
  directories.push(directory);
  const bin = join(directory, 'bin');
  mkdirSync(bin);
  for (const tool of TOOLS) symlinkSync(execFileSync('which', [tool], { encoding: 'utf8' }).trim(), join(bin, tool));
  const script = (name: string, text: string) => {
    writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(bin, name), 0o755);
  };
  script('apt-cache', `case " ${known.join(' ')} " in *" $2 "*) ;; *) exit 100 ;; esac`);
  script(
    'apt-get',
    `echo "$*" >>${directory}/calls
     case "$*" in
       *install*) for package; do :; done; apt-cache show "$package" || exit 100; ln -s /bin/true ${bin}/docker ;;
     esac`,
  );
  symlinkSync('/bin/ln', join(bin, 'ln'));
  return {
    docker: join(bin, 'docker'),
    client: () =>
      execFileSync(join(bin, 'bash'), [LAB, 'client'], {
        encoding: 'utf8',
        env: { PATH: bin, DOCKER_TLS_LAB: join(directory, 'lab') },
        stdio: ['ignore', 'pipe', 'ignore'],
      }).trim(),
    calls: () => readFileSync(join(directory, 'calls'), 'utf8'),
  };
}

test.each([
  ['trixie and later', ['docker-cli', 'docker.io'], 'docker-cli'],
  ['bookworm, where it comes with the daemon', ['docker.io'], 'docker.io'],
])('on %s', (_, known, wanted) => {
  const { client, docker, calls } = machine(known);
  expect(client()).toBe(docker);
  expect(calls()).toMatch(new RegExp(`install .* ${wanted.replace('.', '\\.')}$`, 'm'));
});
