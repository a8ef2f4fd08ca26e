/** systemd/unread.sh in a private mount namespace: unit files of docker.service that systemd has not read, and ones that it never will. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ensureDirSync, removeSync } from 'fs-extra/esm';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { shellQuote } from '../../../src/core/domain/quote.ts';
import unreadScript from '../../../src/core/host/systemd/unread.sh';

const ETC = '/etc/systemd/system';
const RUN = '/run/systemd/system';
const FRAGMENT = '/usr/lib/systemd/system/docker.service';
let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'docker-tls-unread-'));
  for (const name of ['etc', 'run', 'lib', 'external']) mkdirSync(join(directory, name));
});
afterEach(() => removeSync(directory));

/** Path of a host's file while the test creates it. */
function at(path: string): string {
  const places: [string, string][] = [
    [ETC, 'etc'],
    [RUN, 'run'],
    ['/usr/lib/systemd/system', 'lib'],
  ];
  const [place, name] = places.find(([prefix]) => path.startsWith(prefix)) ?? ['', 'external'];
  return join(directory, name, path.slice(place.length));
}
function put(path: string, text: string): void {
  ensureDirSync(dirname(at(path)));
  writeFileSync(at(path), text);
}
function lead(path: string, to: string): void {
  ensureDirSync(dirname(at(path)));
  symlinkSync(to, at(path));
}

function unread(shell: string, known: readonly string[], fragment = FRAGMENT): string[] {
  const mounts = [
    [ETC, 'etc'],
    [RUN, 'run'],
    ['/usr/lib/systemd/system', 'lib'],
  ].map(([path, name]) => `mkdir -p ${path} && mount --bind ${directory}/${name} ${path}`);
  const script = `NL='\n' SERVICE=docker.service UNITS=${ETC}\n${unreadScript}\nunread_units ${shellQuote(fragment)} ${shellQuote(known.join('\n'))}\nprintf %s "$unread"`;
  const outer = ['set -e', ...mounts, `exec ${shell} -c ${shellQuote(script)}`].join('\n');
  // Without a socket as stdin: bash would read .bashrc and its output.
  const result = spawnSync('unshare', ['-m', '--propagation', 'private', 'sh', '-c', outer], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  expect(result.stderr).toBe('');
  return result.stdout.split('\n').filter((line) => line !== '');
}

describe.runIf(process.getuid?.() === 0).each([['dash'], ['bash']])('by %s', (shell) => {
  test('a drop-in that systemd does not know, wherever it lies', () => {
    put(`${ETC}/docker.service.d/10 a.conf`, '[Service]\n');
    put(`${ETC}/docker.service.d/20-b.conf`, '[Service]\n');
    put(`${RUN}/docker.service.d/30-c.conf`, '[Service]\n');
    expect(unread(shell, [`${ETC}/docker.service.d/20-b.conf`])).toEqual([
      `${ETC}/docker.service.d/10 a.conf`,
      `${RUN}/docker.service.d/30-c.conf`,
    ]);
  });

  test('a unit in /etc, and a link to the one in force', () => {
    put(FRAGMENT, '[Service]\n');
    lead(`${ETC}/docker.service`, FRAGMENT);
    expect(unread(shell, [])).toEqual([]);
    rmSync(at(`${ETC}/docker.service`));
    put(`${ETC}/docker.service`, '[Service]\n');
    expect(unread(shell, [])).toEqual([`${ETC}/docker.service`]);
    expect(unread(shell, [], `${ETC}/docker.service`)).toEqual([]);
  });

  test('what systemd will never read is no trouble: masked, overridden, or ours', () => {
    put(`${ETC}/docker.service.d/empty.conf`, '');
    lead(`${ETC}/docker.service.d/masked.conf`, '/dev/null');
    put('/usr/lib/systemd/system/docker.service.d/masked.conf', '[Service]\n');
    put('/usr/lib/systemd/system/docker.service.d/both.conf', '[Service]\n');
    put(`${ETC}/docker.service.d/both.conf`, '[Service]\n');
    put(`${ETC}/docker.service.d/zz-docker-tls.conf`, '# Written by docker-tls.\n[Service]\n');
    put(`${ETC}/docker.service.d/~~zz-docker-tls.conf`, '# Written by docker-tls.\n[Service]\n');
    put(`${ETC}/docker.service.d/README`, 'text\n');
    expect(unread(shell, [`${ETC}/docker.service.d/both.conf`])).toEqual([]);
  });

  test('by another name of its directory systemd knows it all the same', () => {
    put('/usr/lib/systemd/system/docker.service.d/a.conf', '[Service]\n');
    expect(unread(shell, ['/lib/systemd/system/docker.service.d/a.conf'])).toEqual([]);
    const real = join(directory, 'external');
    writeFileSync(join(real, 'override.conf'), '[Service]\n');
    lead(`${ETC}/docker.service.d`, real);
    const known = [`${real}/override.conf`, '/usr/lib/systemd/system/docker.service.d/a.conf'];
    expect(unread(shell, known)).toEqual([]);
    writeFileSync(join(real, 'new.conf'), '[Service]\n');
    expect(unread(shell, known)).toEqual([`${ETC}/docker.service.d/new.conf`]);
  });
});
