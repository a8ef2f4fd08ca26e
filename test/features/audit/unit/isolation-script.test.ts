/** The script of the isolation probes with a docker of the test: what is said when a listener is not there, and what is removed. */

import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { parseIsolation } from '../../../../src/features/audit/domain/isolation.ts';
import { ISOLATION_SCRIPT } from '../../../../src/features/audit/host/audit-scripts.ts';

const directory = mkdtempSync(join(tmpdir(), 'docker-tls-isolation-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Every attempt was blocked, as the container says. */
const BLOCKED = ['neighbour', 'network', 'bridge', 'loopback', 'api', 'metadata', 'raw', 'syscalls', 'root']
  .map((name) => `${name} blocked no answer`)
  .join('\n');

/** Lists have, behind what is ours, things of others with the same label. */
const DOCKER = `#!/bin/sh
for word; do shift; case $word in --config | -H) ;; *) set -- "$@" "$word" ;; esac; done
shift 2 # their values
echo "$*" >>"$FAKE/log"
case "$1 $2" in
  "ps -q") ;;
  "ps -a") [ ! -e "$FAKE/stale" ] || printf '%s\\n' 'docker-tls-probe:Old docker-tls-probe-Old-near 1111' 'registry/app:1 docker-tls-probe-mine 2222' 'docker-tls-probe:Old web 3333' ;;
  "network ls") [ ! -e "$FAKE/stale" ] || printf '%s\\n' 'docker-tls-probe-Old 4444' 'backend 5555' ;;
  "image ls") [ ! -e "$FAKE/stale" ] || printf '%s\\n' 'docker-tls-probe:Old' 'registry/app:1' ;;
  "image rm") rm -f "$FAKE/stale" ;;
  "network create") echo network ;;
  "info -f") echo "[$OPTIONS]" ;;
  inspect*) [ "$4" = id-near ] && echo "$NEAR" || echo '172.18.0.2 172.18.0.1' ;;
  exec*)
    echo "$2" >>"$FAKE/asked"
    asked=$(grep -c "$2" "$FAKE/asked")
    [ "$2" != "$GONE" ] || [ "$asked" -lt "$FROM" ] || [ "$asked" -gt "$TO" ]
    ;;
  run*)
    case "$*" in
      *-near*listen*) [ -n "$NEAR" ] || { echo 'network bridge not found' >&2; exit 125; }; echo id-near ;;
      *-far*listen*) echo id-far ;;
      *" gain "*) echo 'privileges blocked no' ;;
      *) printf '%s\\n' "$BLOCKED" ;;
    esac
    ;;
esac
`;

describe.each(['dash', 'bash'])('by %s', (shell) => {
  function probe(given: Readonly<Record<string, string>> = {}, before?: (fake: string) => void) {
    const fake = mkdtempSync(join(directory, 'host-'));
    mkdirSync(join(fake, 'run'));
    writeFileSync(join(fake, 'docker'), DOCKER);
    chmodSync(join(fake, 'docker'), 0o755);
    before?.(fake);
    const { stdout } = spawnSync(shell, ['-s'], {
      input: `SOCKET=${fake}/run/docker.sock PORTS=2375\n${ISOLATION_SCRIPT}`,
      encoding: 'utf8',
      env: {
        ...{ PATH: `${fake}:${process.env.PATH}`, FAKE: fake, BLOCKED, NEAR: '172.17.0.2 127.0.0.1' },
        ...{ OPTIONS: 'name=seccomp', GONE: '', FROM: '1', TO: '99', ...given },
      },
    });
    const found = parseIsolation(stdout);
    const unknown = [...found].flatMap(([name, { state }]) => (state === 'unknown' ? [name] : []));
    return { unknown, found, log: readFileSync(join(fake, 'log'), 'utf8') };
  }

  test('with every listener there, what was blocked was blocked', () => {
    expect(probe().unknown).toEqual([]);
  });

  test('without the default bridge, what is behind it was not tried', () => {
    for (const NEAR of ['', ' ']) {
      const { unknown, found } = probe({ NEAR });
      expect(unknown.sort()).toEqual(['api', 'bridge', 'loopback', 'metadata', 'neighbour', 'network']);
      expect(found.get('network')?.text).toMatch(NEAR === '' ? /network bridge not found/ : /has no address/);
    }
  });

  test.each([
    ['never answered', 'id-near', '1', '99', 'neighbour'],
    ['ended meanwhile', 'id-near', '2', '99', 'neighbour'],
    ['was late', 'id-near', '1', '5', 'neighbour'],
    ['ended meanwhile', 'id-far', '2', '99', 'network'],
    ['was late', 'id-far', '1', '5', 'network'],
  ])('a listener that %s (%s) is no proof', (_, GONE, FROM, TO, name) => {
    const { unknown, found } = probe({ GONE, FROM, TO });
    expect(unknown).toEqual([name]);
    expect(found.get(name as 'network')?.text).toContain('did not answer');
  });

  test('a listener of the host that is not there is no proof', () => {
    // An address that this machine does not have.
    expect(probe({ NEAR: '172.17.0.2 192.0.2.1' }).unknown).toEqual(['bridge']);
  });

  test('a rootless daemon has a network of its own, unless its process is in the one of the host', () => {
    const rootless = (pid: string) =>
      probe({ OPTIONS: 'name=seccomp name=rootless' }, (fake) =>
        writeFileSync(join(fake, 'run', 'docker.pid'), `${pid}\n`),
      ).unknown.sort();
    expect(rootless(String(process.pid))).toEqual([]);
    for (const pid of ['', '0', '1/../self', '99999999']) expect(rootless(pid)).toEqual(['api', 'bridge', 'loopback']);
    const none = probe({ OPTIONS: 'name=seccomp name=rootless' });
    expect(none.unknown.sort()).toEqual(['api', 'bridge', 'loopback']);
    expect(none.found.get('api')?.text).toSay('rootless-network-not-known');
  });

  test('what another run left behind is removed, and nothing of others with our label', () => {
    const { unknown, log } = probe({}, (fake) => writeFileSync(join(fake, 'stale'), ''));
    expect(unknown).toEqual([]);
    const removed = log.split('\n').filter((line) => /^(network |image )?rm /.test(line));
    expect(removed).toEqual(['rm -f -v 1111', 'network rm 4444', 'image rm -f docker-tls-probe:Old']);
  });

  test('two audits at once: the second one makes nothing, and says why', () => {
    const { found, log } = probe({}, (fake) => {
      // Held by a process that ends by itself.
      spawnSync('sh', ['-c', `exec 8<'${fake}/run/' && flock -n 8 && { sleep 20 >/dev/null 2>&1 & }`]);
    });
    expect([...found.values()].every(({ text }) => text.includes('another audit is trying it'))).toBe(true);
    expect(log).not.toContain('import');
  });
});
