/** Fixes as data: chosen fixes, recorded fixes, and settings of sshd for every kind of login. */

import { describe, expect, it } from 'vitest';
import type { DaemonView } from '../../../../src/core/domain/plan/daemon-view.ts';
import { completeHost } from '../../../../src/core/domain/settings.ts';
import { auditRules } from '../../../../src/features/audit/domain/audit-rules.ts';
import { fileFixes } from '../../../../src/features/audit/domain/checks/file-modes.ts';
import type { FixName } from '../../../../src/features/audit/domain/fix-names.ts';
import {
  chooseFixes,
  FIXES,
  hardenHost,
  leftOutOn,
  PROFILES,
  profilesOf,
  recordHardening,
} from '../../../../src/features/audit/domain/hardening/hardening.ts';
import {
  fixesByFlags,
  type HardenFlags,
  hardenedHost,
  unmadeWords,
} from '../../../../src/features/audit/domain/hardening/hardening-choice.ts';
import { hardenDaemon } from '../../../../src/features/audit/domain/hardening/hardening-daemon.ts';
import {
  AUDIT_RULES,
  hardenFiles,
  renderAuditRules,
  TMPFILES,
} from '../../../../src/features/audit/domain/hardening/hardening-files.ts';
import { hardenSshd, type SshdLogin } from '../../../../src/features/audit/domain/hardening/hardening-sshd.ts';
import { factsOf } from '../../../support/host-facts.ts';
import { altered } from '../support/audit-facts.ts';

const operator: SshdLogin = { user: 'ops', remote: true, byKey: true };
const settings = new Map(
  Object.entries({
    loglevel: ['INFO'],
    permitrootlogin: ['without-password'],
    maxauthtries: ['6'],
    maxsessions: ['10'],
    passwordauthentication: ['yes'],
    kbdinteractiveauthentication: ['no'],
  }),
);
const config = '# a comment\nInclude /etc/ssh/sshd_config.d/*.conf\nUsePAM yes\nMatch User git\n  PermitTTY no\n';
const input = {
  settings,
  version: 1000,
  config,
  matches: [],
  login: operator,
  maxAuthTries: 4,
  leadsTo: [],
  banner: false,
};
const all = new Set(['sshd', 'sshd-root', 'sshd-passwords'] as const);

describe('the choice of fixes', () => {
  it('leaves out what costs until it is accepted by name', () => {
    const choice = chooseFixes({ only: [], profile: 'cis', accepted: ['icc'] });
    expect(choice.fixes).toContain('icc');
    expect(choice.fixes).not.toContain('userns-remap');
    const left = ['userland-proxy', 'userns-remap', 'sshd-root', 'sshd-passwords', 'docker-group'];
    expect(choice.leftOut.map((fix) => fix.name)).toEqual(left);
    for (const fix of choice.leftOut) expect(fix.cost, fix.name).toBeTruthy();
  });

  it('names what was accepted and is not chosen', () => {
    const choose = (profile: 'cis' | 'minimal', ...only: FixName[]) =>
      chooseFixes({ only, profile, accepted: ['icc', 'sshd-root'] }).notChosen;
    expect([choose('cis'), choose('minimal'), choose('cis', 'icc')]).toEqual([[], ['icc', 'sshd-root'], ['sshd-root']]);
  });

  it('refuses flags that are about no fix, or about one that is not made, and tells what a record keeps', () => {
    const choose = (flags: Partial<HardenFlags>) => fixesByFlags({ only: [], accept: [], install: [], ...flags });
    expect(choose({ accept: ['lynis'], install: ['lynis'] }).fixes).toContain('sshd');
    expect(() => choose({ only: ['nothing'] })).toThrow(expect.toSay('nothing-no-such-fix', '--only'));
    expect(() => choose({ only: ['sshd'], accept: ['icc'] })).toThrow('--accept icc: not among');
    expect(() => choose({ only: ['icc'] })).toThrow('no fix remains');
    expect(() => choose({ only: ['log-level'], maxAuthTries: 3 })).toThrow('--max-auth-tries: the fix sshd');
    expect(() => choose({ only: ['sshd'], banner: 'x' })).toThrow(expect.toSay('fix-banner-not-among', '--banner'));
    expect(() => choose({ only: ['banner'], banner: 'a\nb' })).toThrow(expect.toSay('line', '--banner'));
    const unmade = unmadeWords([{ name: 'h', harden: ['sshd', 'sshd:max-auth-tries=2'] }], ['banner', 'sshd'], 3);
    expect(unmade).toEqual([
      expect.stringMatching(/^left out: banner/),
      expect.stringMatching(/^h: MaxAuthTries stays 2/),
    ]);
    const spec = completeHost({ name: 'h', ssh: { destination: 'h' } });
    const none = { keepInDockerGroup: [], maxAuthTries: undefined };
    expect(() => hardenedHost(spec, { hosts: new Map() }, ['icc'], none)).toThrow(expect.toSay('not-set-yet'));
  });

  it('also where it was named', () => {
    expect(chooseFixes({ only: ['icc', 'sshd'], profile: 'cis', accepted: [] }).fixes).toEqual(['sshd']);
  });

  it('does not call left out what all hosts have already, nor what would change none of them', () => {
    const { leftOut } = chooseFixes({ only: ['icc', 'sshd-root'], profile: 'cis', accepted: [] });
    const names = (...hosts: { entries: string[]; unmade?: string[] }[]) =>
      leftOutOn(
        leftOut,
        hosts.map((host) => ({ unmade: undefined, ...host })),
      ).map((fix) => fix.name);
    expect(names({ entries: ['icc'] })).toEqual(['sshd-root']);
    expect(names({ entries: ['icc', 'sshd-root'] }, { entries: ['icc'] })).toEqual(['sshd-root']);
    expect(names({ entries: [] })).toEqual(['icc', 'sshd-root']);
    expect(names({ entries: [], unmade: ['icc'] })).toEqual(['icc']);
    expect(names({ entries: [], unmade: ['icc'] }, { entries: ['icc'], unmade: ['sshd-root'] })).toEqual([
      'icc',
      'sshd-root',
    ]);
  });

  it('has every fix in a profile, and nothing that needs a yes in the minimal one', () => {
    for (const fix of FIXES) expect(profilesOf(fix.name), fix.name).toContain('lynis');
    for (const profile of PROFILES) expect(FIXES.some((fix) => profilesOf(fix.name).includes(profile))).toBe(true);
    expect(FIXES.filter((fix) => profilesOf(fix.name).includes('minimal') !== (fix.risk === 'none'))).toEqual([]);
    for (const { name, risk, cost } of FIXES) expect(cost === undefined, name).toBe(risk === 'none');
  });

  it('is remembered once, in one order, with who stays in the docker group', () => {
    expect(
      recordHardening(['sshd', 'icc', 'sshd', 'docker-group:bob', 'sshd:max-auth-tries=3'], {
        keepInDockerGroup: ['ann', 'bob'],
        maxAuthTries: 2,
      }),
    ).toEqual(['icc', 'sshd', 'docker-group:ann', 'docker-group:bob', 'sshd:max-auth-tries=2']);
    expect(recordHardening(['sshd'], { keepInDockerGroup: [], maxAuthTries: undefined })).toEqual(['sshd']);
  });
});

describe('sshd', () => {
  it('shuts root out and passwords off for an operator who came with a key', () => {
    const { content, notes } = hardenSshd(all, input);
    expect(content?.split('\n').slice(1, -1)).toEqual([
      'LogLevel VERBOSE',
      'MaxAuthTries 4',
      'MaxSessions 10',
      'PermitEmptyPasswords no',
      'PermitRootLogin no',
      'PubkeyAuthentication yes',
      'PasswordAuthentication no',
      'KbdInteractiveAuthentication no',
    ]);
    expect(notes).toEqual([]);
  });

  it('leaves passwords to a user who came with one, and says so', () => {
    const { content, notes } = hardenSshd(all, { ...input, login: { ...operator, byKey: false } });
    expect(content).not.toMatch(/PasswordAuthentication/);
    expect(notes.join()).toMatch(/password logins stay/);
  });

  it('leaves root its key when root is who hardens', () => {
    const { content, notes } = hardenSshd(all, { ...input, login: { ...operator, user: 'root' } });
    expect(content).toMatch(/^PermitRootLogin prohibit-password$/m);
    expect(notes.join()).toSay('root-keeps-login-key');
  });

  it.each([
    ['with a password', { user: 'root', remote: true, byKey: false }],
    ['on the host itself', { user: 'root', remote: false, byKey: false }],
  ])('leaves root its password where no login with a key was verified: %s', (_, login) => {
    const open = new Map(settings).set('permitrootlogin', ['yes']);
    const { content, notes } = hardenSshd(all, { ...input, settings: open, login });
    expect(content).not.toMatch(/PermitRootLogin|PasswordAuthentication/);
    expect(notes.join()).toSay('root-keeps-login-password');
    expect(
      hardenSshd(all, { ...input, settings: open, login: { user: 'root', remote: true, byKey: true } }).content,
    ).toMatch(/^PermitRootLogin prohibit-password$/m);
  });

  it('verifies nothing about SSH from the host itself', () => {
    const { content } = hardenSshd(all, { ...input, login: { ...operator, remote: false } });
    expect(content).toMatch(/^PermitRootLogin prohibit-password$/m);
    expect(content).not.toMatch(/PasswordAuthentication/);
  });

  it('never loosens what is stricter already', () => {
    const strict = new Map(settings)
      .set('maxauthtries', ['2'])
      .set('permitrootlogin', ['no'])
      .set('maxsessions', ['3']);
    const { content } = hardenSshd(all, { ...input, settings: strict, login: { ...operator, user: 'root' } });
    expect(content).toMatch(/^MaxAuthTries 2$/m);
    expect(content).toMatch(/^MaxSessions 3$/m);
    expect(content).toMatch(/^PermitRootLogin no$/m);
  });

  it.each([
    ['', 'no Include'],
    ['UsePAM yes\n', 'no Include'],
    ['Match all\nInclude /etc/ssh/sshd_config.d/*.conf\n', 'only for a Match'],
    ['#Include /etc/ssh/sshd_config.d/*.conf\n', 'a comment'],
  ])('changes nothing where the drop-ins are not read: %j (%s)', (text) => {
    const { content, notes } = hardenSshd(all, { ...input, config: text });
    expect(content).toBeUndefined();
    expect(notes.join()).toMatch(/does not read/);
  });

  it('says what wins over it', () => {
    const { notes } = hardenSshd(all, { ...input, config: `MaxAuthTries 20\n${config}` });
    expect(notes.join()).toSay('maxauthtries-set-before-include');
  });

  it('does not tell an sshd without Include to include, but what to write', () => {
    const { content, notes } = hardenSshd(all, { ...input, version: 709, config: 'UsePAM yes\n' });
    expect(content).toBeUndefined();
    expect(notes.join()).toMatch(/older than OpenSSH 8\.2 .* MaxAuthTries 4; .* PasswordAuthentication no/);
    expect(notes.join()).not.toMatch(/Include/);
  });

  it('shuts the older switch as well where it is one of its own (before 8.7)', () => {
    const old = new Map(settings).set('challengeresponseauthentication', ['yes']);
    const { content } = hardenSshd(all, { ...input, settings: old, version: 804 });
    expect(content).toMatch(/^ChallengeResponseAuthentication no$/m);
    const off = new Map(old).set('passwordauthentication', ['no']);
    const { notes } = hardenSshd(all, { ...input, settings: off, version: 804, login: { ...operator, byKey: false } });
    expect(notes.join(), 'still open, so nothing is taken for off already').toMatch(/password logins stay/);
  });

  it.each([
    [{ authenticationmethods: ['publickey,password'] }, [], 'PasswordAuthentication'],
    [{ authenticationmethods: ['publickey,keyboard-interactive:pam'] }, [], 'KbdInteractiveAuthentication'],
    [{}, [['authenticationmethods', 'publickey,keyboard-interactive']], 'KbdInteractiveAuthentication'],
  ] as const)('leaves what logins need beside their key: %j %j', (own, match, stays) => {
    const here = new Map([...settings, ['kbdinteractiveauthentication', ['yes']], ...Object.entries(own)]);
    const matches = [{ criteria: 'User pat', settings: new Map<string, string>(match) }];
    const { content, notes } = hardenSshd(all, { ...input, settings: here as typeof settings, matches });
    expect(content?.match(/^(Pass|Kbd)\w+ no$/gm)).toEqual([
      stays.startsWith('Pass') ? 'KbdInteractiveAuthentication no' : 'PasswordAuthentication no',
    ]);
    expect(notes.join()).toMatch(new RegExp(`${stays} stays, since AuthenticationMethods`));
  });

  it.each(['any', 'password', 'publickey', 'publickey,password publickey'])(
    'shuts passwords where no user needs one beside a key: AuthenticationMethods %s',
    (methods) => {
      const here = new Map(settings).set('authenticationmethods', [methods]);
      expect(hardenSshd(all, { ...input, settings: here }).content).toMatch(/^PasswordAuthentication no$/m);
    },
  );

  it('says where a Match block wins over it', () => {
    const matches = [{ criteria: 'User *', settings: new Map([['passwordauthentication', 'yes']]) }];
    expect(hardenSshd(all, { ...input, matches }).notes.join()).toSay('match-user-says-passwordauthentication');
    const same = [{ criteria: 'User git', settings: new Map([['passwordauthentication', 'no']]) }];
    expect(hardenSshd(all, { ...input, matches: same }).notes).toEqual([]);
  });

  it.each([
    [config, ['sshd', 'sshd-root', 'sshd-passwords']],
    ['UsePAM yes\n', []],
  ])('says what it costs only where it is made: %j', (text, names) => {
    const host = factsOf({ 'file:/etc/ssh/sshd_config': `file 644 0:0\n${text}` });
    const { costs } = hardenHost({
      entries: [...all],
      known: [],
      facts: host,
      audit: facts,
      login: operator,
      leadsTo: [],
    });
    expect(costs?.map((cost) => cost.replace(/:.*/, ''))).toEqual(names);
  });

  it('says what it costs only where something changes', () => {
    const made = (entries: string[], audit: Parameters<typeof altered>[1], more = {}) =>
      hardenHost({
        entries,
        known: [],
        facts: factsOf({ 'file:/etc/ssh/sshd_config': `file 644 0:0\n${config}`, ...more }),
        audit: altered('bad-trixie', audit),
        login: operator,
        leadsTo: [],
      }).costs?.map((cost) => cost.replace(/:.*/, ''));
    const sections = {
      'sshd 0': 'maxauthtries 4\npermitrootlogin no\npasswordauthentication no\nkbdinteractiveauthentication no\n',
    };
    expect(made([...all], { sections })).toEqual([]);
    expect(made([...all, 'sshd:max-auth-tries=2'], { sections })).toEqual(['sshd']);
    const json = { 'file:/etc/docker/daemon.json': 'file 644 0:0\n{ "userland-proxy": false, "icc": false }' };
    const daemon = ['icc', 'userland-proxy', 'userns-remap'];
    expect([made(daemon, {}), made(daemon, {}, json)]).toEqual([
      daemon,
      // The rule that it needs is missing.
      ['userland-proxy', 'userns-remap'],
    ]);
    const group = { 'file:/etc/group': 'file 644 0:0\nroot:x:0:\ndocker:x:5:ann\n' };
    expect([made(['docker-group'], {}), made(['docker-group'], {}, group)]).toEqual([[], ['docker-group']]);
    // Without the rule that keeps containers off the host's 127.0.0.1, docker-proxy stays.
    const without = hardenHost({
      entries: ['userland-proxy'],
      known: [],
      facts: factsOf({}),
      audit: altered('bad-trixie', { sections: { iptables: '' } }),
      login: operator,
      leadsTo: [],
    });
    expect([without.daemonSettings, without.extras]).toEqual([{}, []]);
    expect(without.notes?.join()).toSay('userland-proxy-left-out-since');
    // The fixes that are not made, in the same form.
    const unmade = (entries: string[], more = {}) =>
      hardenHost({
        entries,
        known: [],
        facts: factsOf({ 'file:/etc/ssh/sshd_config': `file 644 0:0\n${config}`, ...more }),
        audit: altered('bad-trixie', { sections }),
        login: operator,
        leadsTo: [],
      }).unmade;
    expect(unmade(['sshd'], group)).toEqual(expect.arrayContaining(['icc', 'userns-remap', 'docker-group']));
    expect(unmade(['userns-remap'], json)).not.toEqual(expect.arrayContaining(['userns-remap']));
    // Its setting is applied, but its rule is not.
    expect(unmade(['sshd'], json)).toContain('userland-proxy');
    for (const fix of ['icc', 'docker-group', 'sshd-root', 'sshd-passwords'])
      expect(unmade(['sshd'], json)).not.toContain(fix);
  });

  it('allows as many tries as are asked for, and never more than the host does', () => {
    const tries = (maxAuthTries: number, now: string) =>
      /^MaxAuthTries (.*)$/m.exec(
        hardenSshd(all, { ...input, settings: new Map(settings).set('maxauthtries', [now]), maxAuthTries }).content ??
          '',
      )?.[1];
    expect([tries(2, '6'), tries(4, '6'), tries(4, '2')]).toEqual(['2', '4', '2']);
  });

  it('leaves root alone until its own fix is asked for', () => {
    expect(hardenSshd(new Set(['sshd']), input).content).not.toMatch(/PermitRootLogin/);
  });
});

const facts = altered('bad-trixie', {});

describe('files', () => {
  it('takes every user out of the docker group but those who are to stay, and says who of them is not there', () => {
    const groups = 'root:x:0:\ndocker:x:999:ann,ci\n';
    const { extras, notes } = hardenFiles(new Set(['docker-group']), { ...facts, dockerGroup: ['ann', 'ci'] }, groups, [
      'ci',
      'typo',
    ]);
    expect(extras).toMatchObject([{ kind: 'member', user: 'ann', present: false }]);
    expect(notes).toEqual([expect.toSay('docker-group-typo-stay-not')]);
  });

  it("makes a client key of a registry root's alone, and is content with it afterwards", () => {
    const at = '/etc/docker/certs.d/registry.lab:5000/client.key';
    const key = (mode: string) =>
      altered('bad-trixie', {
        sections: {
          'registry-files': `${mode} 0 0 root root 10 ${at}\0`,
          'key-files': `${mode} 0 0 root root 10 ${at}\0`,
        },
      });
    const wanted = fileFixes(key('81a4')).find(({ path }) => path === at);
    expect(wanted?.mode.toString(8)).toBe('400');
    expect(fileFixes(key('8100')).find(({ path }) => path === at)).toBeUndefined();
  });

  it("changes the modes of Docker's own files only, and takes set-id bits from none", () => {
    const fixes = (files: string[], sections = {}) =>
      fileFixes(
        altered('good-trixie', {
          sections: {
            files: `${files.join('\0')}\0`,
            'unit-inputs': '/bin/mount\n/bin/shadowed\n/usr/local/bin/before\n/etc/default/mine',
            ...sections,
          },
        }),
      ).map(({ path, mode, group }) => `${path} ${mode.toString(8)} ${group}`);
    expect(
      fixes([
        '89ed 0 0 root root 10 /bin/mount',
        '85ed 0 42 root shadow 10 /bin/shadowed',
        '81ff 1000 0 pat root 10 /usr/local/bin/before',
        '45fd 0 50 root staff 10 /usr/local/bin',
        '81b6 0 0 root root 10 /etc/default/mine',
      ]),
    ).toEqual([]);
    expect(
      fixes([
        '8dff 0 0 root root 10 /usr/bin/runc',
        '8dff 0 50 root staff 10 /usr/bin/dockerd',
        '45fd 0 0 root root 10 /etc/docker',
      ]),
    ).toEqual(['/etc/docker 2755 root', '/usr/bin/runc 6755 root', '/usr/bin/dockerd 755 root']);
    const keys =
      '81a0 0 100 root ssl-cert 10 /etc/ssl/private/other.key\x0081a0 0 100 root ssl-cert 10 /etc/docker/x.key\0';
    expect(fixes([], { 'key-files': keys })).toEqual(['/etc/docker/x.key 600 root']);
  });

  it('loads audit rules where the kernel takes them, and says where they do not count at boot or nothing is recorded', () => {
    const audit = {
      ...facts.audit,
      kernel: true,
      installed: true,
      refused: undefined,
      enabled: true,
      augenrules: true,
      byHand: false,
      locked: false,
    };
    const made = (change: object) =>
      hardenFiles(new Set(['audit-rules']), { ...facts, audit: { ...audit, ...change } }, '', []);
    expect([made({}).loadAuditRules, made({}).notes]).toEqual([true, []]);
    expect(made({ byHand: true }).loadAuditRules).toBe(true);
    expect(made({ byHand: true }).notes.join()).toSay('maintains-hand-stays');
    expect(made({ locked: true }).loadAuditRules).toBe(false);
    expect(made({ locked: true }).notes.join()).toSay('until-next-boot');
    expect(made({ augenrules: false }).notes.join()).toSay('without-augenrules-nothing-reads');
    expect(made({ enabled: false }).notes.join()).toMatch(/auditing is off.*systemctl enable --now auditd/);
    const rules = auditRules(renderAuditRules(facts));
    expect(made({ locked: true, loaded: rules, files: rules }).notes).toEqual([]);
    expect(made({ loaded: rules, files: rules }).notes).toEqual([]);
    expect(made({ loaded: [], files: rules }).notes.join()).toSay('kernel-does-not-them', '/etc/audit');
    for (const change of [{}, { byHand: true }, { locked: true }])
      expect(made(change).extras).toMatchObject([{ path: AUDIT_RULES }, { path: TMPFILES }]);
    const rootless = { ...facts, files: new Map([...facts.files].filter(([path]) => path !== '/run/containerd')) };
    expect(hardenFiles(new Set(['audit-rules']), rootless, '', []).extras).toMatchObject([{ path: AUDIT_RULES }]);
  });
});

describe('the daemon', () => {
  const view = { flags: [], json: { values: {} } } as unknown as DaemonView;
  const limits = (openFiles: number | undefined) =>
    hardenDaemon(new Set(['default-ulimits']), view, { swarm: false, openFiles }).settings['default-ulimits'];

  it('promises containers no more open files than dockerd may have itself: they would not start', () => {
    expect(limits(20_000)).toMatchObject({ nofile: { Hard: 20_000, Soft: 20_000 } });
    expect(limits(1_048_576)).toMatchObject({ nofile: { Hard: 64_000 } });
    expect(limits(undefined)).toMatchObject({ nofile: { Hard: 64_000 } });
  });

  it('does not raise what containers are given from the start, as with Docker 29', () => {
    const made = (softOpenFiles: number) =>
      hardenDaemon(new Set(['default-ulimits']), view, { swarm: false, openFiles: 524_288, softOpenFiles }).settings;
    expect(made(1024)).toEqual({ 'default-ulimits': { nofile: { Name: 'nofile', Hard: 64_000, Soft: 1024 } } });
    expect(made(1_048_576)).toMatchObject({ 'default-ulimits': { nofile: { Soft: 64_000 } } });
  });

  it.each([
    [{ 'containerd-snapshotter': true }, false],
    [{ 'containerd-snapshotter': false }, true],
    [undefined, true],
  ])('remaps users only where dockerd starts with it: features %j', (features, remaps) => {
    const given = { flags: [], json: { values: { features } } } as unknown as DaemonView;
    const { settings, notes } = hardenDaemon(new Set(['userns-remap']), given, { swarm: false, openFiles: undefined });
    expect(settings).toEqual(remaps ? { 'userns-remap': 'default' } : {});
    expect(notes.length).toBe(remaps ? 0 : 1);
  });
});
