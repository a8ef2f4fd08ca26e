/** Kernel settings of interfaces, as a rollback restores them: on a tree in place of /proc/sys, and read from the real one. */

import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureDirSync, removeSync } from 'fs-extra/esm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const MODULE = new URL('../../../../src/features/audit/host/change/kernel.sh', import.meta.url).pathname;
const RESTORE = new URL('../../../../src/core/host/rollback/restore.sh', import.meta.url).pathname;
const KEY = 'net.ipv4.conf.*.send_redirects';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'docker-tls-kernel-'));
});
afterEach(() => removeSync(root));

function sh(script: string, shell = 'dash'): string {
  const own = `sysctl_path() { printf '%s/' '${root}' && printf '%s' "$1" | tr ./ /.; }`;
  return execFileSync(
    shell,
    ['-c', `. ${MODULE}\n${script.startsWith('real ') ? script.slice(5) : `${own}\n${script}`}`],
    {
      encoding: 'utf8',
      env: { PATH: `${root}/bin:${process.env.PATH}` },
    },
  ).trim();
}
const place = (name: string, key = 'send_redirects') => join(root, 'net/ipv4/conf', name, key);
function interfaces(values: Readonly<Record<string, string>>, key = 'send_redirects'): void {
  for (const [name, value] of Object.entries(values)) {
    ensureDirSync(join(root, 'net/ipv4/conf', name));
    writeFileSync(place(name, key), `${value}\n`);
  }
}
const now = (names: readonly string[], key?: string) =>
  names.map((name) => readFileSync(place(name, key), 'utf8').trim());
/** An iptables with one rule. */
function iptables(): void {
  mkdirSync(join(root, 'bin'));
  const program = join(root, 'bin/iptables');
  writeFileSync(
    program,
    `#!/bin/sh\ncase " $* " in *' -C '*) test -e ${root}/rule ;; *' -I '*) : >${root}/rule ;; *' -D '*) rm ${root}/rule ;; esac\n`,
  );
  chmodSync(program, 0o755);
}

describe.each(['dash', 'bash'])('under %s', (shell) => {
  it('writes back what each interface had, and to those that came later the default', () => {
    interfaces({ all: '1', default: '1', 'eth0.100': '0', eth1: '-1' });
    const kept = sh(`sysctl_value '${KEY}'`, shell);
    expect(kept.split(' ').sort()).toEqual(['all=1', 'default=1', 'eth0.100=0', 'eth1=-1']);
    interfaces({ all: '0', default: '0', 'eth0.100': '0', docker0: '0', xeth1: '0' });
    removeSync(join(root, 'net/ipv4/conf/eth1'));
    sh(`set_sysctl '${kept}' - '${KEY}'`, shell);
    expect(now(['all', 'default', 'eth0.100', 'docker0', 'xeth1'])).toEqual(['1', '1', '0', '1', '1']);
  });

  it('has the rule for as long as an interface lets packets for the loopback in', () => {
    iptables();
    interfaces({ default: '0', docker0: '0' }, 'route_localnet');
    const key = 'net.ipv4.conf.*.route_localnet';
    const before = 'default=0 docker0=0';
    expect(sh(`state_loopback '${key}'`, shell)).toBe(`${before}\t-`);
    sh(`set_loopback dropped - '${key}'; set_loopback dropped - '${key}'`, shell);
    interfaces({ docker0: '1', 'br-1': '1' }, 'route_localnet');
    expect(sh(`state_loopback '${key}'`, shell)).toBe('dropped\t-');
    sh(`set_loopback '${before}' - '${key}'`, shell);
    expect(now(['docker0', 'br-1'], 'route_localnet')).toEqual(['0', '0']);
    expect(sh(`state_loopback '${key}'`, shell)).toContain('docker0=0');
  });

  it('does not take the rule for absent while iptables is busy, and takes out one that is there twice', () => {
    iptables();
    interfaces({ default: '0', docker0: '0' }, 'route_localnet');
    const key = 'net.ipv4.conf.*.route_localnet';
    const busy = (text: string) => sh(`PATH=${root}/busy:$PATH; ${text}; echo "= $?"`, shell);
    mkdirSync(join(root, 'busy'));
    for (const status of [4, 124]) {
      const program = `#!/bin/sh\ncase " $* " in *' -C '*) echo locked >&2; exit ${status} ;; *) echo "$*" >>${root}/told ;; esac\n`;
      writeFileSync(join(root, 'busy/iptables'), program, { mode: 0o755 });
      expect(busy(`state_loopback '${key}' 2>&1`)).toBe(`iptables -C: locked (status ${status})\n= 2`);
      expect(busy(`set_loopback dropped - '${key}' 2>/dev/null`)).toBe('= 1');
      expect(busy(`set_loopback 'default=0 docker0=0' - '${key}' 2>/dev/null`)).toBe('= 1');
      const snapshot = `T=${root} TAB="$(printf '\\t')"; . ${RESTORE}; snapshot_path ${root} 1 loopback '${key}' 2>/dev/null`;
      expect(busy(snapshot)).toBe('= 1');
    }
    expect([existsSync(join(root, 'told')), existsSync(join(root, 'manifest'))]).toEqual([false, false]);
    const twice = `#!/bin/sh\nread -r n <${root}/n; case " $* " in *' -C '*) [ "$n" -gt 0 ] ;; *' -D '*) echo $((n - 1)) >${root}/n ;; esac\n`;
    writeFileSync(join(root, 'busy/iptables'), twice, { mode: 0o755 });
    writeFileSync(join(root, 'n'), '2\n');
    expect(busy(`set_loopback 'default=0 docker0=0' - '${key}'`)).toBe('= 0');
    expect(readFileSync(join(root, 'n'), 'utf8')).toBe('0\n');
  });

  it('reads what the real kernel has', () => {
    expect(sh("real sysctl_value 'net.ipv4.conf.*.route_localnet'", shell)).toMatch(/(^| )default=\d.* lo=\d/);
  });
});

it('says nothing of a setting that the kernel does not have', () => {
  expect(sh("sysctl_value 'net.ipv6.conf.*.accept_redirects' || echo none; set_sysctl 1 - net.none && echo fine")).toBe(
    'none\nfine',
  );
});
