/** Facts about HAProxy on a host, and their parser. */

import { parseSections } from '../../../core/domain/dockerd/sections.ts';
import { parseProperties } from '../../../core/domain/dockerd/unit.ts';
import { printable } from '../../../errors/errors.ts';
import { haproxyVersion } from './haproxy-version.ts';

export type HaproxyFacts = {
  /** Absolute path; empty if HAProxy is not installed. */
  readonly program: string;
  /** For instance `3.0.11`; empty if unknown. */
  readonly version: string;
  /** The host has the account that HAProxy's workers run as. */
  readonly hasAccount: boolean;
  /** Group that may use the daemon's local socket; undefined if there is no socket, or only root may. */
  readonly socketGroup: string | undefined;
  /** The daemon's local socket exists. */
  readonly hasSocket: boolean;
  /** SELinux is in enforcing mode, and its policy confines HAProxy, or that is unknown. No module of ours allows what HAProxy needs. */
  readonly enforcing: boolean;
  /** SELinux denies every program memory that is written and run, and HAProxy compiles its patterns into such memory. */
  readonly noPatterns: boolean;
  /** Type of the daemon's socket in SELinux; empty if unknown. */
  readonly socketType: string;
  /** Profile of AppArmor that confines HAProxy; empty: none. */
  readonly profile: string;
  /** Its service runs. */
  readonly active: boolean;
  /** What an installation of HAProxy would bring; undefined: not asked for, or not needed. */
  readonly offer: PackageOffer | undefined;
  /** Packages of an installation by docker-tls that ended early, before it had settled the package's own service; empty: none. */
  readonly unsettled: readonly string[];
};

export type PackageOffer = {
  /** `apt`, `dnf` or `zypper`; empty: none of them. */
  readonly manager: string;
  /** All that would be new, with those that HAProxy needs. */
  readonly packages: readonly string[];
  /** Of HAProxy; empty if unknown. */
  readonly version: string;
  /** Why it cannot be installed. */
  readonly obstacles: readonly string[];
};

/** Undefined if the output is incomplete. */
export function parseHaproxyFacts(stdout: Buffer): HaproxyFacts | undefined {
  const sections = parseSections(stdout, 'listener');
  if (sections === undefined) return undefined;
  const texts = new Map(sections.map(({ name, content }) => [name, content.toString('utf8').replace(/\n$/, '')]));
  const get = (name: string): string => texts.get(name) ?? '';
  const typeOf = (name: string): string => /^[\w.]+:[\w.]+:(\w+)(?::|$)/.exec(get(name))?.[1] ?? '';
  const [, mode = '', group = ''] = /^(\d+) \d+ \d+ ([A-Za-z0-9_][A-Za-z0-9_.-]*)$/.exec(get('socket')) ?? [];
  return {
    program: /^\/[\w./+-]+$/.test(get('program')) ? get('program') : '',
    version: haproxyVersion(get('version')),
    hasAccount: get('account').startsWith('haproxy:'),
    // Connecting to a socket takes write permission. stat prints UNKNOWN for a group that was deleted.
    socketGroup:
      !['', 'root', 'UNKNOWN'].includes(group) && (Number.parseInt(mode, 8) & 0o20) !== 0 ? group : undefined,
    hasSocket: get('socket') !== '',
    // A program of another type runs unconfined, or as its service's manager does.
    enforcing:
      get('enforcing') === '1' && get('allowed') === '' && ['', 'haproxy_exec_t'].includes(typeOf('program-label')),
    // The boolean's value now, and the one that waits for a commit.
    noPatterns: get('enforcing') === '1' && get('execmem').startsWith('0 ') && get('compiles') !== '',
    socketType: typeOf('socket-label'),
    profile: printable(/^(\S+) \(enforce\)$/.exec(get('apparmor'))?.[1] ?? ''),
    active: parseProperties(get('service')).ActiveState === 'active',
    unsettled: get('unsettled')
      .split('\n')
      .filter((name) => /^[A-Za-z0-9][A-Za-z0-9._+-]*$/.test(name)),
    offer: texts.has('offer') ? parseOffer(get('manager'), get('offer')) : undefined,
  };
}

function parseOffer(manager: string, text: string): PackageOffer {
  const lines = text.split('\n').filter((line) => line !== '');
  const obstacles = lines.flatMap((line) => (line.startsWith('no ') ? [printable(line.slice(3), 300)] : []));
  const offered = lines.flatMap((line) => {
    const [, name, version = ''] = /^([A-Za-z0-9][A-Za-z0-9._+-]*)(?: (\S+))?$/.exec(line) ?? [];
    return name === undefined ? [] : [{ name, version }];
  });
  const haproxy = offered.find(({ name }) => name === 'haproxy');
  return {
    manager: printable(manager),
    packages: offered.map(({ name }) => name),
    version: /^(?:\d+:)?(\d+\.\d+(?:\.\d+)?)/.exec(haproxy?.version ?? '')?.[1] ?? '',
    obstacles: haproxy === undefined && obstacles.length === 0 ? ['it offers no package haproxy'] : obstacles,
  };
}
