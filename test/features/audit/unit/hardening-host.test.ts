/** Host fixes outside of Docker, as data: written files, settings of a stricter host that stay, and a second run without changes. */

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { reachedThrough } from '../../../../src/core/domain/destination.ts';
import { DROP_IN_DIRECTORY, LOOPBACK_DROP_IN } from '../../../../src/core/domain/dockerd/paths.ts';
import { kindOf } from '../../../../src/core/domain/plan/host-kind.ts';
import { fix as harden } from '../../../../src/core/domain/values.ts';
import type { FixName } from '../../../../src/features/audit/domain/fix-names.ts';
import { NEVER } from '../../../../src/features/audit/domain/fixes.ts';
import { planFile } from '../../../../src/features/audit/domain/hardening/extra-change.ts';
import { recordHardening } from '../../../../src/features/audit/domain/hardening/hardening.ts';
import { hardenSettings, noLoopbackRule } from '../../../../src/features/audit/domain/hardening/hardening-host.ts';
import { hardenSshd } from '../../../../src/features/audit/domain/hardening/hardening-sshd.ts';
import { parseHostSettings } from '../../../../src/features/audit/domain/host-settings.ts';
import { LOOPBACK_RULE } from '../../../../src/features/audit/domain/loopback.ts';
import { SYSCTLS } from '../../../../src/features/audit/domain/sysctls.ts';
import { factsOf } from '../../../support/host-facts.ts';

const LOOSE: Readonly<Record<string, string>> = {
  container: 'none',
  sysctl: 'net/ipv4/conf/all/rp_filter:0\nnet/ipv4/conf/all/send_redirects:1\nkernel/kptr_restrict:0',
  modules: 'overlay\nuas',
  'login-defs': 'PASS_MAX_DAYS\t99999\nUMASK\t022',
};
const DEFS = '# passwords\nPASS_MAX_DAYS\t99999\n#PASS_MIN_DAYS 0\nUMASK\t\t022\n';

function hardened(fixes: readonly FixName[], sections: Readonly<Record<string, string>> = {}, files = {}) {
  const says: Readonly<Record<string, string>> = { ...LOOSE, ...sections };
  const there: Readonly<Record<string, string>> = { '/etc/login.defs': DEFS, ...files };
  const { extras, ...rest } = hardenSettings(new Set(fixes), {
    settings: parseHostSettings((name) => says[name] ?? ''),
    file: (path) => there[path],
    banner: undefined,
  });
  const written = Object.fromEntries(
    extras.flatMap((extra) => (extra.kind === 'file' ? [[extra.path, extra.content]] : [])),
  );
  const running = extras.flatMap((extra) => (extra.kind === 'sysctl' ? [`${extra.key}=${extra.value}`] : []));
  return { ...rest, extras, written, running };
}
const SYSCTL = '/etc/sysctl.d/zz-docker-tls.conf';
const MODPROBE = '/etc/modprobe.d/docker-tls.conf';

describe('kernel settings', () => {
  it('are a file and the running values, of those that the kernel has', () => {
    const { written, running } = hardened(['kernel-network', 'kernel-self']);
    expect(running).toEqual([
      'net.ipv4.conf.*.send_redirects=default=0',
      'net.ipv4.conf.all.rp_filter=1',
      'kernel.kptr_restrict=2',
    ]);
    expect(written[SYSCTL]?.split('\n').slice(1)).toEqual([
      'net.ipv4.conf.all.send_redirects = 0',
      '-net.ipv4.conf.*.send_redirects = 0',
      'net.ipv4.conf.all.rp_filter = 1',
      'kernel.kptr_restrict = 2',
      '',
    ]);
  });

  it('of interfaces are written where their own value counts, and stricter ones stay', () => {
    const own = (name: string, value: string, key = 'ipv4/conf/NAME/send_redirects') =>
      `net/${key.replace('NAME', name)}:${value}`;
    const right = [own('all', '0'), own('default', '0')];
    const running = (...lines: string[]) =>
      hardened(['kernel-network'], { sysctl: [...right, ...lines].join('\n') }).running;
    expect(running(own('eth0.100', '1'))).toEqual(['net.ipv4.conf.*.send_redirects=default=0']);
    expect(running(own('eth0.100', '0'), own('lo', '1'))).toEqual([]);
    // `all` decides whether the kernel logs martians.
    expect(
      running(own('all', '1', 'ipv4/conf/NAME/log_martians'), own('eth0', '0', 'ipv4/conf/NAME/log_martians')),
    ).toEqual([]);
    const routes = 'ipv6/conf/NAME/accept_source_route';
    expect(running(own('all', '1', routes), own('tun0', '-1', routes))).toEqual([
      'net.ipv6.conf.*.accept_source_route=default=0 tun0=-1',
    ]);
    // A forwarding interface accepts no redirects if `all` says so.
    const redirects = 'ipv4/conf/NAME/accept_redirects';
    const eth0 = own('eth0', '1', redirects);
    expect(running(eth0)).toEqual(['net.ipv4.conf.*.accept_redirects=default=0']);
    expect(running(eth0, own('eth0', '1', 'ipv4/conf/NAME/forwarding'))).toEqual([]);
    const later = { 'sysctl-later': '# /etc/sysctl.d/zzz.conf\nnet.ipv4.conf.*.send_redirects = 1' };
    expect(hardened(['kernel-network'], { sysctl: right.join('\n'), ...later }).notes).toHaveLength(1);
  });

  it('of a second run change nothing', () => {
    const fixes = ['kernel-network', 'kernel-self'] as const;
    const { written } = hardened(fixes);
    const sysctl = 'net/ipv4/conf/all/rp_filter:1\nnet/ipv4/conf/all/send_redirects:0\nkernel/kptr_restrict:2';
    const again = hardened(fixes, { sysctl }, written);
    expect([again.written[SYSCTL], again.running, [...again.changed]]).toEqual([written[SYSCTL], [], []]);
  });

  it('that a file after ours sets otherwise are named with it', () => {
    const later = (text: string) =>
      hardened(['kernel-network', 'kernel-self'], { 'sysctl-later': text }).notes.map((note) =>
        note.replace(', and so wins at boot; take it out there', ''),
      );
    expect(later('# /etc/sysctl.d/zzz.conf\n-net.ipv4.conf.all.rp_filter=0 \n\n# /run/sysctl.d/~.conf\n')).toEqual([
      'kernel-network: /etc/sysctl.d/zzz.conf says net.ipv4.conf.all.rp_filter = 0',
    ]);
    expect(later('# /usr/lib/sysctl.d/zz-e.conf\nkernel/kptr_restrict = 1\n vm.swappiness = 1')).toEqual([
      'kernel-self: /usr/lib/sysctl.d/zz-e.conf says kernel.kptr_restrict = 1',
    ]);
    // Output of a host must not cost minutes of parsing.
    const blanks = ' '.repeat(60_000);
    expect(later(`# /etc/sysctl.d/zzz.conf\nkernel.kptr_restrict = 1${blanks}x\n`)).toHaveLength(1);
    // The last file by name counts, in any directory; of equal names, the one in the first directory.
    const twice = (first: string, second: string) =>
      later(`# ${first}\nkernel.kptr_restrict=1\n# ${second}\nkernel.kptr_restrict=2\n`);
    expect(twice('/etc/sysctl.d/zza.conf', '/usr/lib/sysctl.d/zzb.conf')).toEqual([]);
    expect(twice('/etc/sysctl.d/zzb.conf', '/usr/lib/sysctl.d/zza.conf')).toHaveLength(1);
    expect(twice('/etc/sysctl.d/zzz.conf', '/usr/lib/sysctl.d/zzz.conf')).toHaveLength(1);
    // A masked file has no effect.
    expect(later('# /etc/sysctl.d/zzz.conf\n# /usr/lib/sysctl.d/zzz.conf\nkernel.kptr_restrict=1')).toEqual([]);
    // Our own file, one before it, an equally strict value, and a pattern, because patterns count only if no file names the key.
    expect(later('# /etc/sysctl.d/zz-docker-tls.conf\nkernel.kptr_restrict=1')).toEqual([]);
    expect(later('# /etc/sysctl.d/z.conf\nkernel.kptr_restrict=1')).toEqual([]);
    expect(later('# /etc/sysctl.d/zzz.conf\nnet.ipv4.conf.all.rp_filter=2\nnet.ipv4.conf.*.rp_filter=0')).toEqual([]);
  });

  it('that are stricter, or loose on purpose, stay and are not written', () => {
    const { written, running } = hardened(['kernel-network', 'kernel-self'], {
      sysctl: 'net/ipv4/conf/all/rp_filter:2\nkernel/yama/ptrace_scope:2',
    });
    expect([written, running]).toEqual([{}, []]);
  });

  it('of the whole kernel are left alone in a container', () => {
    const { written, running, notes } = hardened(['kernel-network', 'kernel-self', 'kernel-bpf'], { container: 'lxc' });
    expect(Object.values(written).join()).not.toContain('kernel.');
    expect(running.every((line) => line.startsWith('net.'))).toBe(true);
    expect(notes).toEqual([expect.stringMatching(/^kernel-self: .*container/), expect.stringMatching(/^kernel-bpf: /)]);
  });

  it('never take from Docker what it needs', () => {
    const keys = SYSCTLS.map(({ key }) => key).join(' ');
    expect(keys).not.toMatch(/forward|modules_disabled|userns|user_namespaces|kexec/);
    expect(NEVER.length).toBeGreaterThan(3);
  });
});

describe('the loopback of the host', () => {
  const rules = '-P PREROUTING ACCEPT\n-A PREROUTING -d 127.0.0.0/8 ! -i lo -m comment --comment docker-tls -j DROP';
  const routed = (names: string[]) => names.map((name) => `net/ipv4/conf/${name}/route_localnet:1`).join('\n');

  it('is kept from containers by a rule now and at every start of dockerd, once', () => {
    const { extras, written, changed } = hardened(['userland-proxy']);
    expect(extras.filter(({ kind }) => kind === 'loopback')).toHaveLength(1);
    expect([...changed]).toEqual(['userland-proxy']);
    expect(written[LOOPBACK_DROP_IN]).toContain(`-C PREROUTING ${LOOPBACK_RULE} 2>/dev/null || iptables`);
    const again = hardened(['userland-proxy'], { 'loopback-rules': rules }, written);
    expect([again.extras.map(({ kind }) => kind), [...again.changed]]).toEqual([['file'], []]);
    // Another program flushed the table.
    const flushed = hardened(['userland-proxy'], { 'loopback-rules': '-P PREROUTING ACCEPT' }, written);
    expect([flushed.extras.map(({ kind }) => kind), [...flushed.changed]]).toEqual([
      ['loopback', 'file'],
      ['userland-proxy'],
    ]);
  });

  it('has the same rule and the same drop-in in the scripts of a host', () => {
    const module = (path: string) => readFileSync(new URL(`../../../../src/${path}`, import.meta.url), 'utf8');
    expect(module('features/audit/host/change/kernel.sh')).toContain(` PREROUTING ${LOOPBACK_RULE} `);
    expect(module('features/audit/host/audit/hardening.sh')).toContain(`[ -e ${LOOPBACK_DROP_IN} ]`);
    expect(module('core/host/apply/keep.sh')).toContain(
      LOOPBACK_DROP_IN.replace(DROP_IN_DIRECTORY, '"$UNITS/$SERVICE.d'),
    );
  });

  it('is open by the interfaces that let packets for it in, unless a rule drops them', () => {
    const open = (more: Readonly<Record<string, string>>) => {
      const says: Readonly<Record<string, string>> = {
        sysctl: routed(['docker0', 'br-1.2', 'lo']),
        iptables: '/sbin/iptables',
        ...more,
      };
      return parseHostSettings((name) => says[name] ?? '')?.loopback.open;
    };
    const first = rules.split('\n')[0] ?? '';
    expect(open({ 'loopback-rules': first })).toEqual(['docker0', 'br-1.2']);
    expect(open({ 'loopback-rules': rules })).toEqual([]);
    expect(open({ 'loopback-rules': `${first}\n-A PREROUTING -d 127.0.0.0/8 -i docker0 -j DROP` })).toEqual(['br-1.2']);
    expect(open({ 'loopback-rules': `${first}\n-A PREROUTING -d 127.0.0.1/32 ! -i lo -p tcp -j DROP` })).toHaveLength(
      2,
    );
  });

  it('may be closed by rules that are not understood; those of Docker are, and do not close it', () => {
    const unclear = (...more: string[]) => {
      const says: Readonly<Record<string, string>> = {
        sysctl: routed(['docker0']),
        iptables: '/sbin/iptables',
        'loopback-rules': ['-P PREROUTING ACCEPT', ...more.map((rule) => `-A PREROUTING ${rule}`)].join('\n'),
      };
      return parseHostSettings((name) => says[name] ?? '')?.loopback.unclear.length;
    };
    expect(
      unclear(
        '-d 172.17.0.2/32 ! -i docker0 -j DROP',
        '-d 127.0.0.1/32 ! -i lo -p tcp -m tcp --dport 8080 -j DROP',
        '-p udp -j CT --notrack',
        '-d 127.0.0.0/8 -i eth0 -j DROP',
      ),
    ).toBe(0);
    expect(
      unclear(
        '-d 127.0.0.0/8 ! -i lo -m comment --comment "two words" -j DROP',
        '-j MY-RULES',
        '! -s 127.0.0.0/8 -d 127.0.0.0/8 -j DROP',
        '-d 0.0.0.0/1 ! -i lo -j DROP',
        '! -d 10.0.0.0/8 ! -i lo -j DROP',
      ),
    ).toBe(5);
  });

  it('takes iptables, and systemd to bring the rule back', () => {
    const settings = (iptables: string) => parseHostSettings((name) => (name === 'iptables' ? iptables : ''));
    expect(noLoopbackRule(kindOf({ kind: 'systemd' }), settings('/usr/sbin/iptables'))).toBeUndefined();
    expect(noLoopbackRule(kindOf({ kind: 'systemd' }), settings(''))).toSay('needs-iptables-host-none');
    expect(noLoopbackRule({ ...kindOf({}), name: 'openrc' }, settings('/sbin/iptables'))).toMatch(/with systemd only/);
  });
});

describe('modules', () => {
  it('that are loaded now are left alone, and said; those that take a yes need theirs', () => {
    const { written, notes } = hardened(['modules']);
    expect(written[MODPROBE]).toContain('install usb-storage /bin/false\nblacklist usb-storage\n');
    expect(written[MODPROBE]).not.toMatch(/\b(uas|sctp|squashfs|udf|vfat|overlay)\b/);
    expect(notes).toEqual([expect.toSay('modules-uas-loaded-now')]);
    expect(hardened(['modules', 'modules-used']).written[MODPROBE]).toMatch(/install sctp[\s\S]*install udf/);
  });

  it('of a second run are the same', () => {
    const { written } = hardened(['modules']);
    const again = hardened(['modules'], { modprobe: written[MODPROBE] ?? '' }, written);
    expect([again.written, [...again.changed]]).toEqual([written, []]);
  });
});

describe('logins', () => {
  it('login.defs is edited where a value stands, and keeps all else', () => {
    const { written } = hardened(['login-defs', 'umask']);
    expect(written['/etc/login.defs']).toBe(
      '# passwords\nPASS_MAX_DAYS\t365\n#PASS_MIN_DAYS 0\nUMASK\t027\nPASS_MIN_DAYS\t1\nSHA_CRYPT_MIN_ROUNDS\t65536\nSHA_CRYPT_MAX_ROUNDS\t65536\nFAILLOG_ENAB\tyes\n',
    );
    const strict = { '/etc/login.defs': 'PASS_MAX_DAYS 90\nUMASK 077\n' };
    expect(hardened(['login-defs', 'umask'], {}, strict).written['/etc/login.defs']).toMatch(
      /^PASS_MAX_DAYS 90\nUMASK 077\nPASS_MIN_DAYS\t1\n/,
    );
    expect([...hardened(['umask'], { profile: 'umask 077' }, strict).changed]).toEqual([]);
  });

  it('values of login.defs may be quoted, and the last of several counts', () => {
    const text =
      'PASS_MAX_DAYS "60"\r\nPASS_MIN_DAYS 0\nPASS_MIN_DAYS\t"7"\nSHA_CRYPT_MIN_ROUNDS 65536\nSHA_CRYPT_MAX_ROUNDS 65536\nUMASK "077"\nFAILLOG_ENAB "yes"';
    const { written, changed } = hardened(
      ['login-defs', 'umask'],
      { profile: 'umask 077' },
      { '/etc/login.defs': text },
    );
    expect([written['/etc/login.defs'], [...changed]]).toEqual([text, []]);
  });

  it('login.defs is the file that a link leads to, as open as it was; a file of ours is closed to others by its own mode', () => {
    const facts = factsOf({
      'file:/etc/login.defs': 'link 777 0:0\nsite/login.defs',
      'leads:/etc/login.defs': '/etc/site/login.defs',
      'file:/etc/site/login.defs': 'file 640 0:7\nUMASK 022\n',
    });
    const change = { kind: 'file', path: '/etc/login.defs', mode: '0644', content: 'x', reason: 'umask' } as const;
    expect(planFile({ ...change, edited: true }, facts)).toMatchObject({
      ...{ path: '/etc/site/login.defs', mode: '0640', owner: '0:7' },
    });
    expect(planFile(change, facts)).toMatchObject({ path: '/etc/login.defs', mode: '0644', owner: '0:0' });
    const { extras } = hardenSettings(new Set(['umask']), {
      settings: parseHostSettings((name) => LOOSE[name] ?? ''),
      file: () => DEFS,
      banner: undefined,
    });
    expect(extras.map((extra) => ('edited' in extra ? [extra.path, extra.edited] : []))).toContainEqual([
      '/etc/login.defs',
      true,
    ]);
  });

  it.each([
    ['umask 022\numask 077', '077'],
    ['umask 077\numask 022', '027'],
    ['umask u=rwx,go=\n[ "$UID" -ge 1000 ] && umask 0070', '077'],
    ['if true; then umask 007; fi', '027'],
    ['# umask 077', '027'],
  ])('a umask is never loosened: after %s it is %s', (profile, umask) => {
    expect(hardened(['umask'], { profile }).written['/etc/profile.d/docker-tls-umask.sh']).toMatch(
      new RegExp(`^umask ${umask}$`, 'm'),
    );
  });

  it("the administrator's TMOUT stays", () => {
    expect(Object.keys(hardened(['session-timeout']).written)).toEqual(['/etc/profile.d/docker-tls-timeout.sh']);
    for (const [profile, note] of [
      ['TMOUT=600', /TMOUT is 600 already/],
      ['readonly TMOUT=7200', /TMOUT=7200 is set in/],
      // Two readonly settings would make every login complain.
      ['TMOUT=$((10*60))\nreadonly TMOUT', /: TMOUT is set in/],
    ] as const) {
      const { written, notes } = hardened(['session-timeout'], { profile });
      expect([written, notes]).toEqual([{}, [expect.stringMatching(note)]]);
    }
  });

  it('a banner is one line without codes, and nothing without words', () => {
    const settings = { keepInDockerGroup: [], maxAuthTries: undefined };
    expect(recordHardening(['banner', 'sshd'], settings)).toEqual(['sshd']);
    const entries = recordHardening(['banner'], { ...settings, banner: 'Keep out' });
    expect(entries).toEqual(['banner', 'banner:text=Keep out']);
    expect(recordHardening(entries, settings)).toEqual(entries);
    const taken = (text: string) => harden.safeParse(`banner:text=${text}`).success;
    expect([taken('Keep out'), taken('a\nb'), taken('\u001b[2J'), taken('\\n'), taken('')]).toEqual([
      true,
      false,
      false,
      false,
      false,
    ]);
  });
});

describe('sshd', () => {
  const login = { user: 'ops', remote: true, byKey: true };
  const settings = new Map([
    ['maxsessions', ['10']],
    ['clientaliveinterval', ['120']],
    ['allowtcpforwarding', ['yes']],
  ]);
  const input = { settings, version: 1000, config: 'Include /etc/ssh/sshd_config.d/*.conf', matches: [], login };
  const made = (fixes: readonly FixName[], leadsTo: readonly string[] = []) =>
    hardenSshd(new Set(fixes), { ...input, maxAuthTries: 4, leadsTo, banner: true });

  it('gets lines of one fix alone, and keeps what is stricter', () => {
    const lines = (...fixes: FixName[]) => made(fixes).content?.split('\n').slice(1, -1);
    expect(lines('sshd-x11')).toEqual(['X11Forwarding no']);
    expect(lines('sshd-idle')).toEqual(['TCPKeepAlive no', 'ClientAliveInterval 120', 'ClientAliveCountMax 2']);
    expect(lines('sshd-sessions')).toEqual(['MaxSessions 2']);
    expect(lines('sshd', 'sshd-sessions')).toContain('MaxSessions 2');
    expect(lines('banner')).toEqual(['Banner /etc/issue.net']);
  });

  it('keeps 0 sessions, which is for a Match to allow', () => {
    const none = new Map([
      ['maxsessions', ['0']],
      ['maxauthtries', ['0']],
      ['clientalivecountmax', ['0']],
    ]);
    const { content } = hardenSshd(new Set(['sshd', 'sshd-sessions', 'sshd-idle']), {
      ...{ ...input, settings: none, maxAuthTries: 4, leadsTo: [], banner: false },
    });
    expect(content).toMatch(/MaxAuthTries 0\nMaxSessions 0\n[\s\S]*ClientAliveCountMax 2\n/);
  });

  it('opens no port for ssh -R, and nothing that the host had shut', () => {
    const lines = (now: string, fixes: readonly FixName[], leadsTo: readonly string[] = []) =>
      hardenSshd(new Set(fixes), {
        ...{ ...input, settings: new Map([['allowtcpforwarding', [now]]]), maxAuthTries: 4, leadsTo, banner: false },
      }).content?.match(/^AllowTcp.*$/gm);
    const remote = ['sshd-remote-forwarding'] as const;
    expect(lines('yes', remote)).toEqual(['AllowTcpForwarding local']);
    expect(lines('local', remote)).toEqual(['AllowTcpForwarding local']);
    expect(lines('no', remote)).toEqual(['AllowTcpForwarding no']);
    expect(lines('remote', remote)).toEqual(['AllowTcpForwarding no']);
    expect(lines('yes', [...remote, 'sshd-forwarding'])).toEqual(['AllowTcpForwarding no']);
    expect(lines('yes', [...remote, 'sshd-forwarding'], ['db'])).toEqual(['AllowTcpForwarding local']);
  });

  it('goes on forwarding where other hosts are reached through it', () => {
    expect(made(['sshd-forwarding']).content).toContain('AllowTcpForwarding no\nAllowAgentForwarding no\n');
    const { content, notes } = made(['sshd-forwarding'], ['db', 'web']);
    expect([content, notes]).toEqual([undefined, [expect.toSay('out-since-no-longer', 'db', 'web')]]);
    const host = { name: 'edge', address: '192.0.2.1', ssh: { destination: 'edge.example' } };
    const behind = (name: string, ...jump: string[]) => ({ name, ssh: { destination: name, jump } });
    expect(
      reachedThrough(host, [
        behind('a', 'ops@EDGE.example:2222'),
        behind('b', 'other', 'ssh://edge'),
        behind('c', '192.0.2.1'),
        behind('d', 'other'),
        { name: 'e', ssh: { destination: 'e' } },
      ]),
    ).toEqual(['a', 'b', 'c']);
  });
});
