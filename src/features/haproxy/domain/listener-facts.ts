/** Facts about HAProxy on a host, and their parser. */

import { parseSections } from '../../../core/domain/dockerd/sections.ts';
import { parseProperties } from '../../../core/domain/dockerd/unit.ts';
import { printable } from '../../../errors/errors.ts';

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
  /** SELinux is in enforcing mode. */
  readonly enforcing: boolean;
  /** Its service runs. */
  readonly active: boolean;
};

/** Undefined if the output is incomplete. */
export function parseHaproxyFacts(stdout: Buffer): HaproxyFacts | undefined {
  const sections = parseSections(stdout, 'listener');
  if (sections === undefined) return undefined;
  const texts = new Map(sections.map(({ name, content }) => [name, content.toString('utf8').replace(/\n$/, '')]));
  const get = (name: string): string => texts.get(name) ?? '';
  const [, mode = '', group = ''] = /^(\d+) \d+ \d+ ([A-Za-z0-9_][A-Za-z0-9_.-]*)$/.exec(get('socket')) ?? [];
  return {
    program: /^\/[\w./+-]+$/.test(get('program')) ? get('program') : '',
    version: printable(/version (\d+\.\d+(?:\.\d+)?)/.exec(get('version'))?.[1] ?? ''),
    hasAccount: get('account').startsWith('haproxy:'),
    // Connecting to a socket takes write permission.
    socketGroup: group !== '' && group !== 'root' && (Number.parseInt(mode, 8) & 0o20) !== 0 ? group : undefined,
    hasSocket: get('socket') !== '',
    enforcing: get('enforcing') === '1',
    active: parseProperties(get('service')).ActiveState === 'active',
  };
}
