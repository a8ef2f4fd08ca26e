/** Golden cases missing on recorded hosts: one recorded host with one change, or probed from outside. */

import type { ProbeOutcome } from '../../../../../src/core/runtime.ts';
import type { AuditProbe, Outside, Severity, Verdict } from '../../../../../src/features/audit/domain/check.ts';
import { type CheckResult, evaluate } from '../../../../../src/features/audit/domain/evaluate.ts';
import { BLOCKED, LOGIN_DEFS, UMASK_FILE } from '../../../../../src/features/audit/domain/host-settings.ts';
import { SYSCTLS } from '../../../../../src/features/audit/domain/sysctls.ts';
import { sectionsOf } from '../../../../support/sections.ts';
import { type Alteration, altered, merge, type RecordedName, recordedBytes } from '../../support/audit-facts.ts';
import { ACCOUNT_CASES } from './account-cases.ts';
import { ISOLATION_CASES } from './isolation-cases.ts';
import { SOFTWARE_CASES } from './software-cases.ts';

export type Case = {
  readonly check: string;
  readonly name: string;
  readonly host?: RecordedName;
  readonly change?: Alteration;
  readonly outside?: Partial<Outside>;
  readonly state: Verdict['state'];
  readonly severity?: Severity;
  /** A part of the evidence or the reason. */
  readonly says?: string;
};

export function verdictOfCase(one: Case): CheckResult {
  const facts = altered(one.host ?? 'fresh-trixie', one.change ?? {});
  const result = evaluate(facts, one.outside).find(({ id }) => id === one.check);
  if (result === undefined) throw new Error(`there is no check ${one.check}`);
  return result;
}

function accepted(status = 200): ProbeOutcome {
  return { kind: 'accepted', status, body: '{}', protocol: 'TLSv1.3', chain: '', elapsedMs: 1 };
}

type Cause = Extract<ProbeOutcome, { kind: 'refused' }>['cause'];

function refused(cause: Cause): ProbeOutcome {
  return { kind: 'refused', cause, reason: cause, chain: '', elapsedMs: 1 };
}

function probe(what: AuditProbe['what'], outcome: ProbeOutcome, port = 2376): Partial<Outside> {
  return { probes: [{ what, address: '192.0.2.7', port, outcome }] };
}

/** Every file that the benchmark requires to be watched, and the kernel's answer to auditctl. */
const WATCHED = [
  '/usr/sbin/dockerd',
  '/run/containerd',
  '/var/lib/docker',
  '/etc/docker',
  '/usr/lib/systemd/system/docker.service',
  '/usr/lib/systemd/system/docker.socket',
  '/etc/default/docker',
  '/etc/containerd/config.toml',
  '/etc/sysconfig/docker',
  '/usr/bin/containerd',
  '/usr/bin/containerd-shim',
  '/usr/bin/containerd-shim-runc-v1',
  '/usr/bin/containerd-shim-runc-v2',
  '/usr/bin/runc',
];
const RULES = WATCHED.map((path) => `-w ${path} -p wa -k docker`).join('\n');
/** Units of the lab host, whose auditd is masked: here it starts at boot. */
const UNITS = String(sectionsOf('audit', recordedBytes('fresh-trixie')).find(({ name }) => name === 'units')?.content)
  .split('\n\n')
  .map((unit) =>
    unit.includes('Id=auditd.service') ? unit.replace(/UnitFileState=.*/, 'UnitFileState=enabled') : unit,
  )
  .join('\n\n');
const AUDITING: Alteration = {
  sections: {
    units: UNITS,
    'audit-rules-d': RULES,
    'auditctl-status 255': undefined,
    'auditctl-list 255': undefined,
    'audit-directories 1': undefined,
    'auditctl-status 0': 'enabled 1\nfailure 1\npid 512\n',
    'auditctl-list 0': RULES,
    tmpfiles: 'd /run/containerd 0711 root root -\n',
  },
};
const NO_RULES: Alteration = {
  sections: { ...AUDITING.sections, 'audit-rules-d': '', 'auditctl-list 0': 'No rules\n' },
};

const AUDIT_IDS = Array.from({ length: 16 }, (_, index) => `1.1.${index + 3}`);

/** Files that --probe-auditd opened, and whether their records are there. */
const readBack = (records: string): Alteration => ({ sections: { ...AUDITING.sections, 'audit-read-back': records } });

const AUDIT_CASES: readonly Case[] = [
  { check: 'host.18', name: 'recorded', state: 'pass', change: readBack('+ /etc/default/docker\n') },
  {
    ...{ check: 'host.18', name: 'not in the log', state: 'finding', says: 'no record of it is in the audit log' },
    change: readBack('+ /etc/default/docker\n- /usr/lib/systemd/system/docker.service\n'),
  },
  {
    ...{ check: 'host.18', name: 'a path unit watches a file', state: 'not-applicable', says: 'cannot tell' },
    change: readBack('path /etc/default/docker\n+ /usr/lib/systemd/system/docker.service\n'),
  },
  {
    ...{ check: 'host.18', name: 'no rule watches it', state: 'not-applicable', says: 'no rule watches any' },
    change: { sections: { ...NO_RULES.sections, 'audit-read-back': '- /etc/default/docker\n' } },
  },
  { check: 'host.18', name: 'not asked for', state: 'not-applicable', says: 'not tried', change: AUDITING },
  ...['1.1.4', '1.1.8'].flatMap((check): readonly Case[] => [
    {
      check,
      name: 'the kernel says that it watches the directory',
      host: 'good-trixie',
      change: { sections: { ...AUDITING.sections, 'audit-directories 0': '/etc/docker\n/run/containerd\n' } },
      state: 'pass',
    },
    {
      check,
      name: 'the kernel took the directory for a file, as it was made after the rules were loaded',
      host: 'good-trixie',
      change: { sections: { ...AUDITING.sections, 'audit-directories 0': '/etc/docker\n' } },
      state: 'finding',
      says: 'loaded, but the kernel records nothing that happens inside',
    },
    {
      check,
      name: 'and at the next boot it will',
      host: 'good-trixie',
      change: { sections: { ...AUDITING.sections, 'audit-directories 0': '/run/containerd\n', tmpfiles: '' } },
      state: 'finding',
      says: 'at boot before its directory is made',
    },
  ]),
  {
    check: '1.1.8',
    name: 'a rule in a directory that is not there at boot is not loaded then',
    host: 'good-trixie',
    change: {
      sections: {
        ...AUDITING.sections,
        'audit-rules-d': '-w /run/containerd/containerd.sock -p wa',
        'audit-directories 0': '/run/containerd\n',
        tmpfiles: 'd /run/lock 0755\n',
      },
    },
    state: 'finding',
    says: 'no file restores it at the next boot',
  },
  ...AUDIT_IDS.map(
    (check): Case => ({
      check,
      name: 'a rule is loaded and is in a file',
      host: 'good-trixie',
      change: AUDITING,
      state: 'pass',
    }),
  ),
  ...AUDIT_IDS.map(
    (check): Case => ({
      check,
      name: 'auditd does not run',
      host: 'good-trixie',
      change: { sections: { ...AUDITING.sections, 'auditctl-status 0': 'enabled 1\npid 0\n' } },
      state: 'finding',
      says: 'auditd does not run',
    }),
  ),
  {
    check: '1.1.6',
    name: 'auditd is not started at boot',
    host: 'good-trixie',
    change: {
      sections: { ...AUDITING.sections, units: 'Id=auditd.service\nLoadState=loaded\nUnitFileState=disabled\n' },
    },
    state: 'finding',
    says: 'not started at boot',
  },
  {
    check: '1.1.5',
    name: 'a rule that does not see what is in the directory',
    host: 'good-trixie',
    change: {
      sections: {
        ...AUDITING.sections,
        'auditctl-list 0': '-a always,exit -F path=/var/lib/docker -F perm=wa',
        'audit-rules-d': '-a always,exit -F path=/var/lib/docker -F perm=wa',
      },
    },
    state: 'finding',
    says: 'not of its content',
  },
  ...AUDIT_IDS.map(
    (check): Case => ({
      check,
      name: 'no rule',
      host: 'good-trixie',
      change: NO_RULES,
      state: 'finding',
      says: 'no audit rule watches it',
    }),
  ),
  {
    check: '1.1.6',
    name: 'the kernel has no audit subsystem',
    change: { sections: { 'audit-kernel': '' } },
    state: 'not-applicable',
    says: 'no audit subsystem',
  },
  {
    check: '1.1.6',
    name: 'auditctl says so',
    change: { sections: { 'auditctl-list 255': 'Error - audit support not in kernel' } },
    state: 'not-applicable',
    says: 'no audit subsystem',
  },
  {
    check: '1.1.6',
    name: 'switched off at boot',
    change: { sections: { 'kernel-cmdline': 'quiet audit=0 ro' } },
    state: 'finding',
    says: 'audit=0',
  },
  {
    check: '1.1.6',
    name: 'auditd is not installed',
    change: { sections: { 'auditctl-status 255': undefined, 'auditctl-list 255': undefined } },
    state: 'finding',
    says: 'not installed',
  },
  {
    check: '1.1.6',
    name: 'loaded, but gone at the next boot',
    change: { sections: { ...AUDITING.sections, 'audit-rules-d': '' } },
    state: 'finding',
    says: 'no file restores it at the next boot',
  },
  {
    check: '1.1.6',
    name: 'in a file, but not loaded',
    change: { sections: { ...AUDITING.sections, 'auditctl-list 0': 'No rules' } },
    state: 'finding',
    says: 'augenrules --load',
  },
  {
    check: '1.1.3',
    name: 'the kernel is locked',
    change: {
      sections: { ...AUDITING.sections, 'auditctl-list 0': 'No rules', 'auditctl-status 0': 'enabled 2\nfailure 1\n' },
    },
    state: 'finding',
    says: 'counts from the next boot',
  },
  {
    check: '1.1.3',
    name: 'the kernel is locked with the rules in it',
    change: { sections: { ...AUDITING.sections, 'auditctl-status 0': 'enabled 2\nfailure 1\n' } },
    state: 'pass',
  },
  {
    check: '1.1.3',
    name: 'rules.d has them, and nothing reads it',
    change: { sections: { ...AUDITING.sections, augenrules: '' } },
    state: 'finding',
    says: 'no file restores it at the next boot',
  },
  {
    check: '1.1.3',
    name: 'rules.d has them, and audit.rules is kept by hand',
    change: {
      sections: {
        ...AUDITING.sections,
        'audit-rules': '-w /srv -p wa',
        augenrules: 'x: Rules have changed and should be updated',
      },
    },
    state: 'finding',
    says: 'no file restores it at the next boot',
  },
  {
    check: '1.1.6',
    name: 'auditing is off',
    change: { sections: { ...AUDITING.sections, 'auditctl-status 0': 'enabled 0' } },
    state: 'finding',
    says: 'auditctl -e 1',
  },
  {
    check: '1.1.11',
    name: 'a rule for the directory covers the file',
    host: 'good-trixie',
    change: AUDITING,
    state: 'pass',
  },
  {
    check: '1.1.6',
    name: 'syscall form of the rule',
    change: {
      sections: {
        ...AUDITING.sections,
        'auditctl-list 0': '-a always,exit -S all -F dir=/etc/docker -F perm=wa -F key=docker',
      },
    },
    state: 'pass',
  },
  {
    check: '1.1.7',
    name: 'a rule of the time before the merged /usr',
    host: 'good-trixie',
    change: {
      sections: { ...AUDITING.sections, 'auditctl-list 0': '-w /lib/systemd/system/docker.service -p wa -k docker' },
    },
    state: 'pass',
  },
  {
    check: '1.1.7',
    name: 'a rule that only watches running is none',
    host: 'good-trixie',
    change: { sections: { ...AUDITING.sections, 'auditctl-list 0': '-w /usr -p x -k run' } },
    state: 'finding',
    says: 'not loaded',
  },
  {
    check: '1.1.5',
    name: 'another data directory is the one that counts',
    change: {
      api: { '/info': merge({ DockerRootDir: '/data/docker/100000.100000' }) },
      sections: { ...AUDITING.sections, files: '41c0 0 0 root root 10 /data/docker\0' },
    },
    state: 'finding',
    says: 'no audit rule watches it',
  },
  {
    check: '1.1.6',
    name: 'a rule that only watches reading is none',
    change: { sections: { ...AUDITING.sections, 'auditctl-list 0': '-w /etc/docker -p r -k x' } },
    state: 'finding',
  },
];

const FILE = '81a4 0 0 root root 10';

const REFUSED = {
  'sshd 0': undefined,
  'sshd 255': '',
  'sshd-refusal':
    '/etc/ssh/sshd_config: line 123: Bad configuration option: Fooo\n/etc/ssh/sshd_config: terminating, 1 bad configuration options',
};

const DAEMON_CASES: readonly Case[] = [
  {
    check: '1.1.1',
    name: 'on the root file system',
    change: { sections: { mounts: '0:1 /\n0:1 /tmp' } },
    state: 'finding',
  },
  {
    check: '1.1.1',
    name: 'bound onto itself by dockerd is no partition',
    change: { sections: { mounts: '8:1 /\n8:1 /var/lib/docker' } },
    state: 'finding',
    says: 'of / with',
  },
  {
    check: '1.1.1',
    name: 'on the file system of /var',
    change: { sections: { mounts: '8:1 /\n8:2 /var\n8:2 /var/lib/docker' } },
    state: 'finding',
    says: 'of /var with',
  },
  {
    check: '1.1.1',
    name: 'another directory, on a file system for data',
    change: {
      sections: { mounts: '8:1 /\n8:2 /data\n8:2 /data/docker' },
      api: { '/info': merge({ DockerRootDir: '/data/docker' }) },
    },
    state: 'pass',
  },
  {
    check: '1.1.2',
    name: 'a primary group counts',
    change: { sections: { users: 'root:0:0\nben:1000:102' } },
    state: 'finding',
    says: 'become root',
  },
  {
    check: '1.1.2',
    name: "another group has Docker's socket",
    change: { sections: { 'socket-group': 'devs:x:1007:pat' } },
    state: 'finding',
    says: "is in the group devs of Docker's socket",
  },
  {
    check: '1.1.2',
    name: 'the socket is in the docker group',
    change: { sections: { 'socket-group': 'docker:x:102:' } },
    state: 'pass',
  },
  {
    check: '3.15',
    name: "--group is not for a socket of systemd's",
    change: { flags: ['--group', 'devs'] },
    state: 'pass',
  },
  { check: '1.1.2', name: 'no docker group', change: { sections: { 'docker-group': '' } }, state: 'not-applicable' },
  {
    check: '1.2.2',
    name: 'an old build',
    change: { api: { '/version': merge({ BuildTime: '2024-01-01T00:00:00Z' }) } },
    state: 'finding',
    says: 'days ago',
  },
  {
    check: '1.2.2',
    name: 'a version with known vulnerabilities',
    state: 'finding',
    says: 'fixed in later versions',
  },
  {
    check: '1.2.2',
    name: 'one without',
    change: {
      api: { '/version': merge({ Version: '99.0.0', BuildTime: '2026-10-01T00:00:00Z', Components: [] }) },
      sections: { 'packages-deb': 'docker-ce 5:99.0.0-1\ncontainerd.io 99.0.0-1\nrunc 99.0.0-1\n' },
    },
    state: 'pass',
  },
  {
    check: '2.1',
    name: 'rootless',
    change: { api: { '/info': merge({ SecurityOptions: ['name=rootless', 'name=seccomp,profile=builtin'] }) } },
    state: 'pass',
  },
  {
    check: '2.1',
    name: 'a rootless daemon beside the other one is named',
    change: { sections: { rootless: '/run/user/1000/docker.sock' } },
    state: 'finding',
    says: 'rootless daemon',
  },
  {
    check: '1.2.2',
    name: 'an old release that the distribution built anew',
    change: { api: { '/version': merge({ Version: '20.10.24+dfsg1', BuildTime: '2026-10-01T00:00:00Z' }) } },
    state: 'finding',
    says: '20.10.24+dfsg1',
  },
  {
    check: '2.2',
    name: 'the API tells, whatever the files say',
    change: { config: '{"icc": false}' },
    state: 'finding',
  },
  {
    check: '2.3',
    name: 'a flag with a space',
    change: { flags: ['--log-level', 'debug'] },
    state: 'finding',
    says: 'debug',
  },
  { check: '2.3', name: 'short and glued', change: { flags: ['-lwarn'] }, state: 'finding', says: 'warn' },
  { check: '2.3', name: 'said outright', change: { flags: ['--log-level=info'] }, state: 'pass' },
  { check: '2.4', name: 'off by =0', change: { flags: ['--iptables=0'] }, state: 'finding' },
  { check: '2.5', name: 'the defaults are none', state: 'pass' },
  ...(
    [
      ['http://mirror.example:5000/', 'finding'],
      ['http://127.0.0.1:5000/', 'pass'],
      ['https://mirror.example/', 'pass'],
    ] as const
  ).map(
    ([url, state]): Case => ({
      check: '2.5',
      name: `the mirror ${url}`,
      change: { api: { '/info': (info: object) => ({ ...info, RegistryConfig: { Mirrors: [url] } }) } },
      state,
    }),
  ),
  { check: '2.6', name: 'aufs', change: { api: { '/info': merge({ Driver: 'aufs' }) } }, state: 'finding' },
  {
    check: '2.8',
    name: 'pretty-printed, no TLS',
    change: { config: '{\n  "hosts": [\n    "tcp://0.0.0.0:2375"\n  ]\n}\n' },
    state: 'finding',
    severity: 'critical',
    says: 'no TLS',
  },
  {
    check: '2.8',
    name: 'one line, verified',
    change: { config: '{"hosts":["tcp://0.0.0.0:2376"],"tlsverify":true,"tlskey":"/k"}' },
    state: 'pass',
  },
  {
    check: '2.8',
    name: '--tlskey PATH with a space',
    change: { flags: ['-H', 'tcp://0.0.0.0:2376', '--tlsverify', '--tlskey', '/k'] },
    state: 'pass',
  },
  {
    check: '2.8',
    name: 'TLS without verification',
    change: { flags: ['-Htcp://0.0.0.0:2376', '--tls', '--tlsverify=false', '--tlskey=/k'] },
    state: 'finding',
    severity: 'critical',
    says: 'not verified',
  },
  {
    check: '2.8',
    name: 'tls alone verifies too',
    change: { flags: ['-Htcp://0.0.0.0:2376', '--tls', '--tlskey=/k'] },
    state: 'pass',
  },
  {
    check: '2.8',
    name: 'tls alone in daemon.json verifies too',
    change: { config: '{"hosts": ["tcp://0.0.0.0:2376"], "tls": true}' },
    state: 'pass',
  },
  {
    check: '2.8',
    name: 'tlsverify=false still turns TLS on',
    change: { flags: ['--host=tcp://0.0.0.0:2376', '--tlsverify=false'] },
    state: 'finding',
    says: 'clients are not verified',
  },
  {
    check: 'tls.3',
    name: 'tlsverify=false is TLS, and not plain HTTP',
    change: { config: '{"hosts": ["tcp://0.0.0.0:2376"], "tlsverify": false}' },
    state: 'pass',
  },
  {
    check: '2.8',
    name: 'an address that leaves the host out is localhost',
    change: { flags: ['-H', 'tcp://:2375'] },
    state: 'finding',
    severity: 'high',
    says: 'localhost:2375',
  },
  {
    check: '2.8',
    name: 'an address that leaves the port out is 2375, with TLS too',
    change: { flags: ['-H', 'tcp://0.0.0.0', '--tlsverify=false'] },
    state: 'finding',
    says: '0.0.0.0:2375',
  },
  {
    check: '2.8',
    name: 'written, but not in force: the network tells',
    host: 'good-trixie',
    outside: probe('plain', accepted(), 2375),
    state: 'finding',
    severity: 'critical',
    says: 'accepts any client',
  },
  {
    check: '2.8',
    name: 'a proxy in front that asks for a password accepts no client',
    host: 'good-trixie',
    outside: probe('no-certificate', accepted(401)),
    state: 'pass',
  },
  {
    check: '2.8',
    name: 'loopback only',
    change: { flags: ['-H', 'tcp://127.0.0.1:2375'] },
    state: 'finding',
    severity: 'high',
  },
  { check: '2.8', name: 'an address without a scheme', change: { flags: ['-H', '0.0.0.0:2375'] }, state: 'finding' },
  {
    check: '2.8',
    name: 'what dockerd holds counts, whatever the files say',
    change: { sections: { 'tcp-listen': '/proc/net/tcp 00000000:0947 4711', 'dockerd-sockets': 'socket:[4711]' } },
    state: 'finding',
    says: '0.0.0.0:2375',
  },
  {
    check: '2.8',
    name: 'the metrics are not the API',
    change: {
      flags: ['--metrics-addr', '127.0.0.1:9323'],
      sections: { 'tcp-listen': '/proc/net/tcp 0100007F:246B 4711', 'dockerd-sockets': 'socket:[4711]' },
    },
    state: 'not-applicable',
  },
  {
    check: '2.8',
    name: 'a socket unit, IPv6',
    change: {
      sections: {
        units:
          'Id=docker-x.socket\nLoadState=loaded\nActiveState=active\nTriggers=docker.service\nListen=[::]:2375 (Stream)\nFragmentPath=/etc/systemd/system/docker-x.socket',
      },
    },
    state: 'finding',
    says: '[::]:2375',
  },
  { check: '2.9', name: 'flag', change: { flags: ['--default-ulimit', 'nofile=64:64'] }, state: 'pass' },
  {
    check: '2.10',
    name: 'rootless',
    change: { api: { '/info': merge({ SecurityOptions: ['name=rootless'] }) } },
    state: 'not-applicable',
  },
  {
    check: '2.7',
    name: 'devicemapper',
    change: { api: { '/info': merge({ Driver: 'devicemapper' }) } },
    state: 'finding',
  },
  {
    check: '2.12',
    name: 'larger base device',
    change: { config: '{"storage-opts": ["dm.basesize=50G"]}' },
    state: 'finding',
  },
  {
    check: '2.13',
    name: 'a plugin decides',
    change: { api: { '/info': merge({ Plugins: { Authorization: ['opa'] } }) } },
    state: 'pass',
  },
  {
    check: '2.14',
    name: 'journald alone stays here',
    change: { api: { '/info': merge({ LoggingDriver: 'journald' }) } },
    state: 'finding',
  },
  {
    check: '2.14',
    name: 'set, but local',
    change: { config: '{"log-driver": "local"}', api: { '/info': merge({ LoggingDriver: 'local' }) } },
    state: 'finding',
  },
  { check: '2.16', name: 'swarm', host: 'swarm-trixie', state: 'not-applicable' },
  {
    check: '2.18',
    name: 'no seccomp in the kernel',
    change: { api: { '/info': merge({ SecurityOptions: [] }) } },
    state: 'finding',
  },
  {
    check: '2.18',
    name: 'a profile of their own, which may allow anything',
    change: { api: { '/info': merge({ SecurityOptions: ['name=seccomp,profile=/etc/docker/own.json'] }) } },
    state: 'not-applicable',
    says: 'as strict as the one that is built in?',
  },
  { check: 'config.1', name: 'empty file', change: { config: '' }, state: 'pass' },
  { check: 'config.1', name: 'a comment', change: { config: '{\n // no\n}' }, state: 'finding', says: 'line 2' },
  { check: 'config.1', name: 'a byte order mark', change: { config: '\ufeff{"icc": false}' }, state: 'pass' },
  {
    check: 'config.1',
    name: 'a byte order mark, before Docker 23',
    change: { config: '\ufeff{}', api: { '/info': merge({ ServerVersion: '20.10.24+dfsg1' }) } },
    state: 'finding',
    says: 'byte order mark',
  },
  { check: 'config.1', name: 'a list', change: { config: '[]' }, state: 'finding', says: 'not an object' },
  {
    check: 'config.2',
    name: 'hosts twice, equal',
    change: { config: '{"hosts": ["fd://"]}' },
    state: 'finding',
    says: 'hosts',
  },
  {
    check: 'config.2',
    name: 'runtimes are merged',
    change: { flags: ['--add-runtime', 'nvidia=/usr/bin/nvidia-container-runtime'], config: '{"runtimes": {"a": {}}}' },
    state: 'pass',
  },
  {
    check: 'config.3',
    name: 'a socket for every local user',
    change: {
      sections: {
        units:
          'Id=docker.socket\nLoadState=loaded\nActiveState=active\nTriggers=docker.service\nListen=/run/docker.sock (Stream)\nSocketMode=0666',
      },
    },
    state: 'finding',
    says: '0666',
  },
  {
    check: 'config.4',
    name: 'limited',
    change: { config: '{"log-opts": {"max-size": "10m", "max-file": "3"}}' },
    state: 'pass',
  },
  { check: 'config.4', name: 'limited by a flag', change: { flags: ['--log-opt', 'max-size=10m'] }, state: 'pass' },
  {
    check: 'config.4',
    name: 'minus one is no limit',
    change: { config: '{"log-opts": {"max-size": "-1"}}' },
    state: 'finding',
  },
  {
    check: 'config.5',
    name: 'dockerd hangs',
    change: { sections: { 'api 200 http://docker/info': undefined, 'api 000 http://docker/info': '' } },
    state: 'finding',
    severity: 'critical',
    says: 'did not answer',
  },
  {
    check: 'config.5',
    name: 'a plugin answers no question',
    change: { sections: { 'api 200 http://docker/info': undefined, 'api 403 http://docker/info': '{}' } },
    state: 'finding',
    says: 'status 403',
  },
  {
    check: 'config.5',
    name: 'nothing to ask with',
    change: { sections: { 'api 200 http://docker/info': undefined } },
    state: 'finding',
    says: 'neither curl',
  },
  {
    check: 'config.5',
    name: 'dockerd is stopped',
    change: {
      sections: { 'api 200 http://docker/info': undefined, 'api-socket': undefined, 'dockerd-cmdline': undefined },
    },
    state: 'finding',
    says: 'does not run',
  },
  {
    check: 'config.5',
    name: 'no Docker at all',
    change: {
      sections: {
        'api 200 http://docker/info': undefined,
        'api-socket': undefined,
        'dockerd-cmdline': undefined,
        units: '',
      },
    },
    state: 'not-applicable',
  },
  {
    check: 'config.5',
    name: 'more containers than are looked at',
    host: 'bad-trixie',
    change: { api: { '/containers/json?all=1': (list: unknown[]) => [...list, { Id: 'x' }] } },
    state: 'finding',
    severity: 'info',
    says: '2 of 3 containers',
  },
  {
    check: 'file.2',
    name: 'a drop-in that every local user may change',
    change: { sections: { files: '81b6 0 0 root root 10 /etc/systemd/system/docker.service.d/override.conf\0' } },
    state: 'finding',
    severity: 'high',
    says: '0666',
  },
  {
    check: 'file.1',
    name: "a user's directory of drop-ins",
    change: { sections: { files: '41ed 1000 0 pat root 10 /etc/systemd/system/docker.service.d\0' } },
    state: 'finding',
  },
  {
    check: 'file.4',
    name: 'a directory of keys that every local user may write to',
    host: 'good-trixie',
    change: { sections: { files: '43ff 0 0 root root 10 /etc/docker/tls\0' } },
    state: 'finding',
    says: '1777',
  },
  {
    check: 'file.3',
    name: "root's own directory",
    host: 'good-trixie',
    change: { sections: { files: '41c0 0 0 root root 10 /etc/docker/tls\0' } },
    state: 'pass',
  },
  ...(
    [
      ['file.5', 'a program of a user', '81ed 1000 0 pat root 10 /usr/bin/runc', 'finding'],
      ['file.5', "root's own programs", '81ed 0 0 root root 10 /usr/bin/runc', 'pass'],
      [
        'file.6',
        'a program that every local user may change',
        '81b6 0 0 root root 10 /usr/bin/containerd-shim',
        'finding',
      ],
      [
        'file.6',
        'a directory of programs that every local user may write to',
        '81ed 0 0 root root 10 /usr/bin/runc\0' + '41ff 0 0 root root 10 /usr/bin',
        'finding',
      ],
      ['file.6', 'a directory in which dockerd looks for programs', '41ff 0 0 root root 10 /usr/local/bin', 'finding'],
      ['file.6', 'a program that runs before dockerd', '81ff 0 0 root root 10 /opt/before', 'finding'],
      ['file.6', 'a set-uid program that runs before dockerd', '89ed 0 0 root root 10 /opt/before', 'pass'],
      ['file.5', 'a set-gid program that runs before dockerd', '85ed 0 42 root shadow 10 /opt/before', 'pass'],
      [
        'file.6',
        'a directory of programs that a group may write to',
        '81ed 0 0 root root 10 /opt/before\0' + '45fd 0 50 root staff 10 /opt',
        'finding',
      ],
      [
        'file.6',
        'a directory of the group staff that no program is in',
        '81ed 0 0 root root 10 /usr/bin/runc\0' + '45fd 0 50 root staff 10 /usr/local/bin',
        'pass',
      ],
      ['file.8', 'an EnvironmentFile that a group may read', '81a0 0 4 root adm 10 /etc/default/mine', 'pass'],
      ['file.7', 'an EnvironmentFile of a user', '81a4 1000 0 pat root 10 /etc/default/mine', 'finding'],
      ['file.7', 'an EnvironmentFile', '81a4 0 0 root root 10 /etc/default/mine', 'pass'],
      [
        'file.8',
        'an EnvironmentFile that every local user may change',
        '81b6 0 0 root root 10 /etc/default/mine',
        'finding',
      ],
      [
        'file.8',
        'a file that the units read, in a directory that every local user may write to',
        '81a4 0 0 root root 10 /etc/default/mine\0' + '41ff 0 0 root root 10 /etc/default',
        'finding',
      ],
      [
        'file.6',
        'an empty directory of plugins that every local user may write to',
        '41ff 0 0 root root 10 /usr/local/lib/docker/cli-plugins',
        'finding',
      ],
      ['file.6', 'an empty directory of plugins', '41ed 0 0 root root 10 /etc/docker/plugins', 'pass'],
      ['file.6', "root's own empty directory of plugins", '41ff 0 0 root root 10 /root/.docker/cli-plugins', 'finding'],
      ['file.8', "containerd's settings", '81b6 0 0 root root 10 /etc/containerd/config.toml', 'finding'],
      ['file.8', 'an EnvironmentFile of root', '81a4 0 0 root root 10 /etc/default/mine', 'pass'],
      ['file.9', "a user's data directory", '41c8 1000 0 pat root 10 /var/lib/docker', 'finding'],
      ['file.9', 'with the group of userns-remap', '41c8 0 100000 root 100000 10 /var/lib/docker', 'pass'],
      ['file.10', 'a data directory that is open', '41ff 0 0 root root 10 /var/lib/docker', 'finding'],
      ['file.10', 'a data directory as dockerd makes it', '41c8 0 0 root root 10 /var/lib/docker', 'pass'],
    ] as const
  ).map(
    ([check, name, files, state]): Case => ({
      check,
      name,
      host: 'good-trixie',
      change: { sections: { files: `${files}\0`, 'unit-inputs': '/opt/before\n/etc/default/mine' } },
      state,
    }),
  ),
  {
    check: '3.15',
    name: 'another group, when dockerd is told so',
    change: { flags: ['--group', 'wheel'], sections: { files: 'c1b0 0 10 root wheel 0 /var/run/docker.sock' } },
    state: 'pass',
  },
  {
    check: '3.13',
    name: 'a key that belongs to a user',
    host: 'good-trixie',
    change: { sections: { 'tls-stat key': '8100 1000 0 root root 10 /etc/docker/tls/server-key.pem' } },
    state: 'finding',
  },
  {
    check: '3.14',
    name: 'a name that looks like more fields',
    host: 'good-trixie',
    change: { sections: { 'tls-stat key': '81a4 0 0 root root 10 /x 8100 0 0 root root 1 /y' } },
    state: 'finding',
    says: '0644',
  },
  {
    check: '4.5',
    name: 'only a comment',
    change: { sections: { 'content-trust': '# DOCKER_CONTENT_TRUST=1' } },
    state: 'finding',
  },
  {
    check: '4.5',
    name: 'Docker 29, which has no content trust',
    change: { api: { '/info': merge({ ServerVersion: '29.1.5' }) } },
    state: 'not-applicable',
    says: 'from 29.0 on',
  },
  {
    check: 'tls.9',
    name: 'a key for the group of a user',
    change: { sections: { 'key-files': '81a0 0 1000 root staff 10 /etc/docker/x.key\0' } },
    state: 'finding',
    says: 'group staff',
  },
  {
    check: 'tls.9',
    name: 'a key far from /etc/docker',
    change: { sections: { 'key-files': '81a4 0 0 root root 10 /srv/tls/new\nline.pem\0' } },
    state: 'finding',
    says: 'every local user',
  },
  {
    check: 'ssh.6',
    name: 'passwords by PAM',
    change: { sections: { 'sshd 0': 'passwordauthentication no\nkbdinteractiveauthentication yes\nusepam yes' } },
    state: 'finding',
    says: 'PAM',
  },
  {
    check: 'ssh.1',
    name: 'sshd refuses its configuration',
    change: { sections: REFUSED },
    state: 'not-applicable',
    says: 'does not take its configuration',
  },
  {
    check: 'ssh.8',
    name: 'a line that sshd does not know',
    change: { sections: REFUSED },
    state: 'finding',
    says: 'line 123: Bad configuration option: Fooo',
  },
  {
    check: 'ssh.8',
    name: 'an sshd that does not run',
    change: {
      sections: {
        'sshd 0': undefined,
        'sshd 255': '',
        'sshd-refusal': 'Missing privilege separation directory: /run/sshd',
      },
    },
    state: 'not-applicable',
  },
  { check: 'ssh.8', name: 'no sshd', change: { sections: { 'sshd 0': undefined } }, state: 'not-applicable' },
  {
    check: 'ssh.6',
    name: 'a Match block opens what is shut for all the others',
    change: {
      sections: {
        'sshd 0': 'passwordauthentication no\nkbdinteractiveauthentication no\nusepam yes',
        'sshd-match': 'Match User *\n  PasswordAuthentication yes',
      },
    },
    state: 'finding',
    says: 'Match User *: PasswordAuthentication is yes',
  },
  ...(
    [
      ['publickey', 'pass'],
      ['publickey,password publickey,keyboard-interactive:pam', 'pass'],
      ['publickey password', 'finding'],
      ['publickey,password keyboard-interactive', 'finding'],
      ['any', 'finding'],
    ] as const
  ).map(([methods, state]) => ({
    check: 'ssh.6',
    name: `AuthenticationMethods ${methods}`,
    change: {
      sections: {
        'sshd 0': `passwordauthentication yes\nkbdinteractiveauthentication yes\nusepam yes\nauthenticationmethods ${methods}`,
      },
    },
    state,
  })),
  {
    check: 'ssh.6',
    name: 'a Match block that says nothing of it changes nothing',
    change: {
      sections: {
        'sshd 0': 'passwordauthentication no\nkbdinteractiveauthentication no\nusepam yes',
        'sshd-match': 'Match Group sftp\n  ForceCommand internal-sftp',
      },
    },
    state: 'pass',
  },
  {
    check: 'ssh.6',
    name: 'before OpenSSH 8.7 the older name opens it as well',
    change: {
      sections: {
        'sshd 0':
          'passwordauthentication no\nkbdinteractiveauthentication no\nchallengeresponseauthentication yes\nusepam yes',
      },
    },
    state: 'finding',
    says: 'KbdInteractiveAuthentication',
  },
  {
    check: 'ssh.2',
    name: 'a Match block that lets root in',
    change: {
      sections: { 'sshd 0': 'permitrootlogin no', 'sshd-match': 'match address 10.0.0.0/8\nPermitRootLogin=yes' },
    },
    state: 'finding',
    severity: 'high',
    says: 'Match address 10.0.0.0/8: PermitRootLogin is yes',
  },
  {
    check: '3.1',
    name: `no unit file`,
    change: { sections: { units: '', files: `${FILE} /etc/docker` } },
    state: 'not-applicable',
  },
];

function container(fields: object): Alteration {
  return { api: { '/containers/': merge(fields) } };
}

const NAMED: readonly (readonly [string, string, object, Verdict['state']])[] = [
  [
    '5.30',
    'a task of swarm, on the network of its service',
    { HostConfig: { NetworkMode: 'default' }, NetworkSettings: { Networks: { ingress: {} } } },
    'pass',
  ],
  ['4.1', 'root with a group', { Config: { User: '0:1000' } }, 'finding'],
  ['4.1', 'zeros', { Config: { User: '00' } }, 'finding'],
  ['5.5', 'privileged', { HostConfig: { Privileged: true } }, 'finding'],
  [
    '5.6',
    'the whole host, read-only',
    { Mounts: [{ Type: 'bind', Source: '/', Destination: '/h', RW: false }] },
    'finding',
  ],
  [
    '5.6',
    'one file of /etc, read-only',
    { Mounts: [{ Type: 'bind', Source: '/etc/localtime', Destination: '/etc/localtime', RW: false }] },
    'pass',
  ],
  [
    '5.6',
    'one file of /etc, writable',
    { Mounts: [{ Type: 'bind', Source: '/etc/passwd', Destination: '/p', RW: true }] },
    'finding',
  ],
  [
    '5.6',
    'a volume',
    { Mounts: [{ Type: 'volume', Source: '/var/lib/docker/volumes/x/_data', Destination: '/d', RW: true }] },
    'pass',
  ],
  ['5.11', 'limited', { HostConfig: { Memory: 67108864 } }, 'pass'],
  ['5.12', 'by --cpus', { HostConfig: { NanoCpus: 500000000 } }, 'pass'],
  ['5.12', 'by a quota', { HostConfig: { CpuQuota: 5000 } }, 'pass'],
  [
    '5.15',
    'on-failure without end',
    { HostConfig: { RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 0 } } },
    'finding',
  ],
  ['5.15', 'unless-stopped', { HostConfig: { RestartPolicy: { Name: 'unless-stopped' } } }, 'finding'],
  ['5.29', 'limited', { HostConfig: { PidsLimit: 100 } }, 'pass'],
  ['5.29', 'minus one is no limit', { HostConfig: { PidsLimit: -1 } }, 'finding'],
  [
    '5.32',
    'the directory that holds the socket',
    { Mounts: [{ Type: 'bind', Source: '/run/', Destination: '/r', RW: false }] },
    'finding',
  ],
  ['5.14', 'IPv6', { NetworkSettings: { Ports: { '80/tcp': [{ HostIp: '::', HostPort: '8080' }] } } }, 'finding'],
  ['5.14', 'no address', { NetworkSettings: { Ports: { '80/tcp': [{ HostIp: '', HostPort: '8080' }] } } }, 'finding'],
];

const CONTAINER_CASES: readonly Case[] = [
  ...NAMED.map(
    ([check, name, fields, state]): Case => ({ check, name, host: 'good-trixie', change: container(fields), state }),
  ),
  ...(
    [
      ['5.6', 'a directory of the host', '/etc', 'finding'],
      ['5.6', 'a disk of the host', '/dev/sda1', 'finding'],
      ['5.6', 'a directory of its own', '/srv/data', 'pass'],
      ['5.6', 'of another computer', ':/etc', 'pass'],
      ['5.32', "the directory of Docker's socket", '/run', 'finding'],
    ] as const
  ).map(
    ([check, name, device, state]): Case => ({
      check,
      name: `a volume that is ${name}`,
      host: 'good-trixie',
      change: {
        api: {
          ...container({
            Mounts: [{ Type: 'volume', Name: 'x', Source: '/var/lib/docker/volumes/x', Destination: '/d', RW: true }],
          }).api,
          '/volumes': () => ({ Volumes: [{ Name: 'x', Options: { type: 'none', o: 'bind', device } }] }),
        },
      },
      state,
    }),
  ),
  {
    check: '5.4',
    name: 'a small capability',
    host: 'good-trixie',
    change: container({ HostConfig: { CapAdd: ['CAP_NET_RAW', 'sys_time'] } }),
    state: 'finding',
    severity: 'medium',
    says: 'added: sys_time',
  },
  {
    check: '5.4',
    name: 'some of the default ones restored, however they are written',
    host: 'good-trixie',
    change: container({ HostConfig: { CapDrop: ['ALL'], CapAdd: ['NET_BIND_SERVICE', 'CAP_CHOWN', 'setuid'] } }),
    state: 'pass',
  },
  {
    check: '5.4',
    name: 'all of them',
    host: 'good-trixie',
    change: container({ HostConfig: { CapAdd: ['CAP_SYS_ADMIN'] } }),
    state: 'finding',
    severity: 'high',
  },
  {
    check: '5.2',
    name: 'confined',
    host: 'good-trixie',
    change: { sections: { apparmor: 'Y' }, ...container({ AppArmorProfile: 'docker-default' }) },
    state: 'pass',
  },
  {
    check: '5.2',
    name: 'unconfined',
    host: 'good-trixie',
    change: { sections: { apparmor: 'Y' }, ...container({ AppArmorProfile: 'unconfined' }) },
    state: 'finding',
  },
  {
    check: '5.3',
    name: 'labelled',
    host: 'good-trixie',
    change: { sections: { selinux: '1' }, ...container({ ProcessLabel: 'system_u:system_r:container_t:s0:c1,c2' }) },
    state: 'pass',
  },
  { check: '5.3', name: 'not labelled', host: 'good-trixie', change: { sections: { selinux: '1' } }, state: 'finding' },
  {
    check: '5.26',
    name: 'asked for, but the process has it not',
    host: 'good-trixie',
    change: { ...container({ State: { Pid: 77 } }), sections: { 'process-status': '/proc/77/status:NoNewPrivs:\t0' } },
    state: 'finding',
  },
  {
    check: '5.22',
    name: 'the process runs without a filter',
    host: 'good-trixie',
    change: { ...container({ State: { Pid: 77 } }), sections: { 'process-status': '/proc/77/status:Seccomp:\t0' } },
    state: 'finding',
  },
  ...(['ALLOW', 'LOG', 'ERRNO'] as const).map(
    (action): Case => ({
      check: '5.22',
      name: `a profile of one's own whose default is ${action}`,
      host: 'good-trixie',
      change: container({
        HostConfig: { SecurityOpt: [`seccomp={"defaultAction": "SCMP_ACT_${action}",\n "syscalls": []}`] },
      }),
      ...(action === 'ERRNO' ? { state: 'pass' } : { state: 'finding', says: 'allows every system call' }),
    }),
  ),
  {
    check: 'container.2',
    name: 'systempaths=unconfined',
    host: 'good-trixie',
    change: container({ HostConfig: { MaskedPaths: [], ReadonlyPaths: [] } }),
    state: 'finding',
    says: 'unconfined',
  },
  ...(
    [
      ['a password', { Env: ['DB_PASSWORD=hunter2'] }, 'DB_PASSWORD is written out'],
      ['an address', { Env: ['URL=postgres://u:hunter2@db/x'] }, 'URL: the password in its address is written out'],
      ['a key by its form', { Env: ['ID=AKIAQRSTUVWXYZ234567'] }, 'ID holds an AWS access key (AKIA***)'],
      ['a label', { Labels: { 'ci.token': 'abcdef' } }, 'label ci.token is written out'],
      ['a command', { Cmd: ['sh', '-c', 'API_TOKEN=abcdef app'] }, 'its command: API_TOKEN is written out'],
    ] as const
  ).map(
    ([name, Config, says]): Case => ({
      ...{ check: 'container.3', name, host: 'good-trixie', change: container({ Config }), state: 'finding', says },
    }),
  ),
  {
    check: 'container.3',
    name: 'the name of a file with a password',
    host: 'good-trixie',
    change: container({ Config: { Env: ['DB_PASSWORD_FILE=/run/secrets/db', 'DB_PASSWORD='] } }),
    state: 'pass',
  },
  {
    check: '5.5',
    name: 'stopped containers are not judged',
    host: 'good-trixie',
    change: container({ State: { Running: false }, HostConfig: { Privileged: true } }),
    state: 'not-applicable',
  },
  {
    check: '5.5',
    name: 'no answer from Docker',
    host: 'good-trixie',
    change: { api: { '/info': () => ({}) } },
    state: 'not-applicable',
    says: 'did not answer',
  },
  { check: '4.7', name: 'update and install together', change: {}, host: 'good-trixie', state: 'pass' },
];

const SWARM_CASES: readonly Case[] = [
  {
    check: '7.1',
    name: 'two managers',
    host: 'swarm-trixie',
    change: { api: { '/info': merge({ Swarm: { Managers: 2 } }) } },
    state: 'finding',
    says: 'even number',
  },
  {
    check: '7.1',
    name: 'nine managers',
    host: 'swarm-trixie',
    change: { api: { '/info': merge({ Swarm: { Managers: 9 } }) } },
    state: 'finding',
    says: 'more than seven',
  },
  {
    check: '7.1',
    name: 'a worker',
    host: 'swarm-trixie',
    change: { api: { '/info': merge({ Swarm: { ControlAvailable: false } }) } },
    state: 'not-applicable',
    says: 'worker',
  },
  {
    check: '7.2',
    name: 'bound',
    host: 'swarm-trixie',
    change: { sections: { 'tcp-listen': '/proc/net/tcp 0700D50A:0949 1' } },
    state: 'pass',
  },
  {
    check: '7.3',
    name: 'encrypted',
    host: 'swarm-trixie',
    change: { api: { '/networks': () => [{ Name: 'x', Driver: 'overlay', Options: { encrypted: '' } }] } },
    state: 'pass',
  },
  {
    check: '7.5',
    name: 'locked',
    host: 'swarm-trixie',
    change: { api: { '/swarm': merge({ Spec: { EncryptionConfig: { AutoLockManagers: true } } }) } },
    state: 'pass',
  },
  {
    check: '7.4',
    name: 'secrets are in use',
    host: 'swarm-trixie',
    change: { api: { '/secrets': () => [{ ID: 'x' }] } },
    state: 'pass',
  },
];

const TLS_CASES: readonly Case[] = [
  { check: 'tls.1', name: 'refused', outside: probe('no-certificate', refused('client-refused')), state: 'pass' },
  {
    check: 'tls.1',
    name: 'accepted',
    outside: probe('no-certificate', accepted()),
    state: 'finding',
    severity: 'critical',
  },
  {
    check: 'tls.1',
    name: 'out of reach',
    outside: probe('no-certificate', refused('connection-refused')),
    state: 'not-applicable',
  },
  {
    check: 'tls.1',
    name: 'a port without TLS says nothing of certificates',
    outside: probe('no-certificate', refused('plain-http')),
    state: 'not-applicable',
  },
  {
    check: 'tls.1',
    name: 'an authorization plugin refuses',
    outside: probe('no-certificate', accepted(403)),
    state: 'pass',
  },
  { check: 'tls.2', name: 'refused', outside: probe('other-authority', refused('client-refused')), state: 'pass' },
  { check: 'tls.2', name: 'accepted', outside: probe('other-authority', accepted()), state: 'finding' },
  {
    check: 'tls.3',
    name: 'open 2375',
    outside: probe('plain', accepted(), 2375),
    state: 'finding',
    severity: 'critical',
  },
  {
    check: 'tls.3',
    name: 'a TLS port that answers HTTP with 400',
    host: 'good-trixie',
    outside: probe('plain', accepted(400)),
    state: 'pass',
  },
  { check: 'tls.4', name: 'refused', outside: probe('old-protocol', refused('protocol')), state: 'pass' },
  {
    check: 'tls.4',
    name: 'not spoken here',
    outside: probe('old-protocol', refused('not-spoken-here')),
    state: 'not-applicable',
  },
  {
    check: 'tls.4',
    name: 'out of reach',
    outside: probe('old-protocol', refused('timed-out')),
    state: 'not-applicable',
  },
  {
    check: 'tls.4',
    name: 'an unknown cause',
    outside: probe('old-protocol', refused('other')),
    state: 'not-applicable',
    says: 'this computer reached no port',
  },
  { check: 'tls.4', name: 'spoken', outside: probe('old-protocol', accepted()), state: 'finding' },
  {
    check: 'tls.4',
    name: 'spoken, though the client was refused after it',
    outside: probe('old-protocol', refused('client-refused')),
    state: 'finding',
  },
  {
    check: 'tls.5',
    name: 'expired',
    host: 'good-trixie',
    outside: { now: new Date('2040-01-01') },
    state: 'finding',
    severity: 'high',
    says: 'expired on',
  },
  {
    check: 'tls.5',
    name: 'not yet valid',
    host: 'good-trixie',
    outside: { now: new Date('2020-01-01') },
    state: 'finding',
    severity: 'high',
    says: 'clock',
  },
  { check: 'tls.7', name: 'named', host: 'good-trixie', outside: { dialled: ['127.0.0.1'] }, state: 'pass' },
  {
    check: 'tls.7',
    name: 'not named',
    host: 'good-trixie',
    outside: { dialled: ['docker.example.com'] },
    state: 'finding',
    says: 'docker.example.com',
  },
  {
    check: 'tls.8',
    name: 'the CA expires soon',
    host: 'good-trixie',
    outside: { now: new Date('2036-10-01') },
    state: 'finding',
  },
];

/** Sections of the host outside of Docker; the recorded hosts are older than these sections. */
function hostSays(sections: Readonly<Record<string, string>>): Alteration {
  const right = {
    container: 'none',
    sysctl: SYSCTLS.map(({ key, value }) => `${key.replaceAll('.', '/')}:${value}`).join('\n'),
    modules: 'overlay\nveth',
    modprobe: Object.values(BLOCKED)
      .flat()
      .map((name) => `install ${name} /bin/false`)
      .join('\n'),
    'login-defs': LOGIN_DEFS.map(({ key, value }) => `${key}\t${value}`).join('\n'),
    'core-limits': '* hard core 0',
    coredump: 'Storage=none',
    profile: 'umask 027\nTMOUT=900\nreadonly TMOUT',
    'issue-net': 'Authorized users only. All use of this system is monitored and recorded.',
  };
  return { sections: { ...right, 'sshd 0': 'banner /etc/issue.net', ...sections } };
}
const HOST_CHECKS = [
  'host.1',
  'host.2',
  'host.3',
  'host.4',
  'host.5',
  'host.6',
  'host.7',
  'host.8',
  'host.9',
  'host.10',
  'host.11',
];

const HARDENING_CASES: readonly Case[] = [
  ...HOST_CHECKS.map((check): Case => ({ check, name: 'all as harden makes it', change: hostSays({}), state: 'pass' })),
  {
    check: 'host.8',
    name: 'a short text of its own',
    change: hostSays({ 'issue-net': 'Authorized users only.' }),
    state: 'pass',
  },
  {
    check: 'host.11',
    name: 'a rule that is not understood',
    change: hostSays({
      sysctl: 'net/ipv4/conf/all/route_localnet:1',
      'loopback-rules': '-P PREROUTING ACCEPT\n-A PREROUTING -j MY-RULES',
    }),
    state: 'not-applicable',
    says: 'needs a person: do these rules drop packets',
  },
  ...(
    [
      ['host.1', { sysctl: 'net/ipv4/conf/all/send_redirects:1' }, 'is 1, not 0'],
      [
        'host.1',
        {
          sysctl:
            'net/ipv4/conf/all/send_redirects:0\nnet/ipv4/conf/eth0/send_redirects:1\nnet/ipv6/conf/eth1/accept_redirects:1',
        },
        'is 1, not 0, on eth0; is 1, not 0, on eth1',
      ],
      [
        'host.11',
        { sysctl: 'net/ipv4/conf/docker0/route_localnet:1', 'loopback-rules': '-P PREROUTING ACCEPT' },
        "route_localnet is 1, and PREROUTING of iptables' raw table has no rule that drops packets for 127.0.0.0/8",
      ],
      ['host.2', { sysctl: 'kernel/kptr_restrict:0' }, 'is 0, not 2'],
      ['host.3', { sysctl: 'kernel/unprivileged_bpf_disabled:0' }, 'is 0, not 1'],
      ['host.4', { modprobe: 'blacklist dccp\ninstall dccp /sbin/modprobe dccp' }, 'can be loaded: dccp, rds'],
      ['host.5', { modprobe: 'install sctp /bin/true\ninstall udf /usr/bin/false' }, 'can be loaded: squashfs'],
      ['host.6', { coredump: '', 'core-limits': '* soft core 0' }, 'no line "* hard core 0"; Storage is not none'],
      ['host.7', { 'login-defs': 'PASS_MAX_DAYS\t99999\nPASS_MIN_DAYS\t7' }, 'PASS_MAX_DAYS is 99999, not 365; SHA'],
      ['host.8', { 'issue-net': 'Debian GNU/Linux 13' }, 'has no warning text'],
      ['host.9', { 'login-defs': 'UMASK\t022', profile: '  umask 022' }, 'UMASK is 022; umask 022'],
      ['host.9', { profile: 'umask 022' }, 'umask 022'],
      ['host.9', { profile: 'umask 027\nif true; then umask 002; fi' }, 'umask 002'],
      ...[
        '/etc/profile.d/site.sh:umask 027',
        `${UMASK_FILE}:umask 022`,
        `${UMASK_FILE}:x && umask 027`,
        ...[
          'umask 002',
          'old=$(umask)',
          '  umask 077',
          'umask g=u',
          'umask $old',
          'umask -S',
          '/etc/profile.d/x:y.sh:umask 027',
        ].map((line) => `${UMASK_FILE}:umask 027\n/etc/profile.d/site.sh:${line}`),
      ].map(
        (read) =>
          ['host.9', { profile: 'umask 022', 'profile-first': '\numask 022', 'profile-d': read }, 'umask 022'] as const,
      ),
      ['host.9', { profile: 'umask 022\numask 027', 'profile-d': `${UMASK_FILE}:umask 027` }, 'umask 022'],
      ['host.10', { profile: '# TMOUT=60' }, 'TMOUT is not set'],
    ] as const
  ).map(
    ([check, sections, says]): Case => ({ check, name: 'not so', change: hostSays(sections), state: 'finding', says }),
  ),
  ...(
    [
      ['host.1', 'loose on purpose', { sysctl: 'net/ipv4/conf/all/rp_filter:2' }],
      [
        'host.1',
        'redirects of what forwards',
        { sysctl: 'net/ipv4/conf/eth0/accept_redirects:1\nnet/ipv4/conf/eth0/forwarding:1' },
      ],
      [
        'host.11',
        'dropped by a rule',
        {
          sysctl: 'net/ipv4/conf/docker0/route_localnet:1',
          'loopback-rules': '-P PREROUTING ACCEPT\n-A PREROUTING -d 127.0.0.0/8 ! -i lo -j DROP',
        },
      ],
      ['host.2', 'stricter', { sysctl: 'kernel/yama/ptrace_scope:3\nkernel/perf_event_paranoid:4' }],
      ['host.3', "Debian's default", { sysctl: 'kernel/unprivileged_bpf_disabled:2' }],
      ['host.4', 'in use', { modprobe: '', modules: BLOCKED.modules.join('\n').replaceAll('-', '_') }],
      ['host.9', 'stricter', { 'login-defs': 'UMASK 077', profile: '' }],
      [
        'host.9',
        'overridden in profile.d',
        {
          profile: 'umask 022\numask 027',
          'profile-first': '\numask 022',
          'profile-d': `${UMASK_FILE}:# umask\n${UMASK_FILE}:umask 027\n/etc/profile.d/site.sh:umask 077`,
        },
      ],
      ['host.10', 'shorter', { profile: 'export TMOUT=300' }],
    ] as const
  ).map(([check, name, sections]): Case => ({ check, name, change: hostSays(sections), state: 'pass' })),
  {
    check: 'host.11',
    name: 'iptables did not answer',
    change: hostSays({ sysctl: 'net/ipv4/conf/docker0/route_localnet:1', iptables: '/usr/sbin/iptables' }),
    state: 'not-applicable',
    says: 'did not say which rules there are',
  },
  ...['host.2', 'host.3', 'host.4', 'host.5'].map(
    (check): Case => ({
      check,
      name: 'a container',
      change: hostSays({ container: 'lxc', sysctl: 'kernel/kptr_restrict:0', modprobe: '' }),
      state: 'not-applicable',
      says: 'the kernel of another machine',
    }),
  ),
  ...(
    [
      ['ssh.9', 'x11forwarding no'],
      ['ssh.10', 'clientaliveinterval 300\nclientalivecountmax 2\ntcpkeepalive no'],
      ['ssh.12', 'maxsessions 2'],
      ['ssh.13', 'allowtcpforwarding local'],
      ['ssh.11', 'allowtcpforwarding no\nallowagentforwarding no'],
    ] as const
  ).map(([check, says]): Case => ({ check, name: says, change: { sections: { 'sshd 0': says } }, state: 'pass' })),
  {
    check: 'ssh.10',
    name: 'TCP keepalives, as OpenSSH 10.4 and later print them',
    change: { sections: { 'sshd 0': 'ClientAliveInterval 300\nClientAliveCountMax 2\nTCPKeepAlive true' } },
    state: 'finding',
    says: 'TCPKeepAlive is yes',
  },
];

export const CASES: readonly Case[] = [
  ...HARDENING_CASES,
  ...AUDIT_CASES,
  ...DAEMON_CASES,
  ...CONTAINER_CASES,
  ...SWARM_CASES,
  ...TLS_CASES,
  ...SOFTWARE_CASES,
  ...ACCOUNT_CASES,
  ...ISOLATION_CASES,
];
