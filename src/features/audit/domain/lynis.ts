/** Lynis' report on a host, parsed as untrusted text, and the fixes that would raise its index. */

import { type Distribution, installCommand } from '../../../core/domain/dockerd/install-hints.ts';
import { plural } from '../../../core/domain/words.ts';
import { printable } from '../../../errors/errors.ts';
import { type CheckResult, counts } from './evaluate.ts';
import type { FixName } from './fix-names.ts';
import { BLOCKED, moduleName } from './host-settings.ts';
import { SYSCTLS, sysctlKeys } from './sysctls.ts';

export type LynisWarning = { readonly test: string; readonly text: string };

export type LynisReport = {
  readonly index: number;
  readonly version: string;
  readonly warnings: readonly LynisWarning[];
  readonly suggestions: number;
  /** Missing fixes that Lynis gives points for. */
  readonly fixes: readonly FixName[];
};

/** Reason why no report exists. */
export type LynisAnswer = LynisReport | { readonly missing: string };

/** The audit accepts four. */
export const LYNIS_AUTH_TRIES = 3;

const MOST_WARNINGS = 50;

const BY_TEST: Readonly<Record<string, readonly FixName[]>> = {
  'AUTH-9230': ['login-defs'],
  'AUTH-9286': ['login-defs'],
  'AUTH-9328': ['umask'],
  'AUTH-9408': ['login-defs'],
  'BANN-7126': ['banner'],
  'BANN-7130': ['banner'],
  'KRNL-5820': ['core-dumps'],
  'STRG-1846': ['modules'],
  'USB-1000': ['modules'],
};

/** `sshd -T` keywords that Lynis scores, in lower case. */
const BY_KEYWORD: Readonly<Record<string, readonly FixName[]>> = {
  allowagentforwarding: ['sshd-forwarding'],
  allowtcpforwarding: ['sshd-remote-forwarding', 'sshd-forwarding'],
  clientalivecountmax: ['sshd-idle'],
  clientaliveinterval: ['sshd-idle'],
  loglevel: ['sshd'],
  maxauthtries: ['sshd'],
  maxsessions: ['sshd-sessions'],
  permitrootlogin: ['sshd-root'],
  tcpkeepalive: ['sshd-idle'],
  x11forwarding: ['sshd-x11'],
};

/** `results`: results of the same audit, for the host's missing fixes. */
export function parseLynis(output: string, results: readonly CheckResult[], distribution?: Distribution): LynisAnswer {
  const [answer = '', ...lines] = output.split('\n');
  if (answer === 'absent') {
    const install = installCommand(distribution, ['lynis'], true) ?? ['install', 'lynis'];
    return { missing: `lynis is not installed on the host: ${install.join(' ')}` };
  }
  const values = lines.flatMap((line) => {
    const [, key, value] = /^([a-z_]+(?:\[\])?)=(.*)$/.exec(line) ?? [];
    return key === undefined || value === undefined ? [] : [[key, value] as const];
  });
  const all = (name: string): string[] => values.flatMap(([key, value]) => (key === name ? [value] : []));
  const index = all('hardening_index').at(-1) ?? '';
  if (answer !== 'whole' || !/^\d{1,3}$/.test(index) || Number(index) > 100)
    return { missing: 'lynis did not come to an index; on the host: lynis audit system' };
  const suggestions = all('suggestion[]');
  const lacking = new Set(results.filter(counts).flatMap(({ fixable }) => fixable ?? []));
  const wanted = new Set([...suggestions, ...all('warning[]')].flatMap(bySuggestion));
  for (const detail of all('details[]')) for (const fix of byDetail(detail)) wanted.add(fix);
  // Lynis scores it without a suggestion.
  if (all('session_timeout_enabled').at(-1) === '0') wanted.add('session-timeout');
  // The audit accepts more attempts than Lynis.
  const raising = [...wanted].filter((fix) => lacking.has(fix) || fix === 'sshd');
  return {
    index: Number(index),
    version: printable(all('lynis_version')[0] ?? '', 20),
    warnings: all('warning[]')
      .slice(0, MOST_WARNINGS)
      .map((line) => {
        const [test = '', text = ''] = line.split('|');
        return { test: printable(test, 20), text: printable(text, 300) };
      }),
    suggestions: suggestions.length,
    fixes: raising.sort(),
  };
}

function bySuggestion(line: string): readonly FixName[] {
  const [test = '', text = ''] = line.split('|');
  const known = Object.hasOwn(BY_TEST, test) ? BY_TEST[test] : undefined;
  if (known !== undefined || test !== 'NETW-3200') return known ?? [];
  const protocol = moduleName(/'([a-z]+)'/.exec(text)?.[1] ?? '');
  return (['modules', 'modules-used'] as const).filter((fix) => BLOCKED[fix].includes(protocol));
}

/** `SSH-7408|sshd|desc:…;field:MaxAuthTries;prefval:3;value:6;|` */
function byDetail(line: string): readonly FixName[] {
  const [test, , text = ''] = line.split('|');
  const field = /(?:^|;)field:([^;]+);/.exec(text)?.[1] ?? '';
  if (test === 'KRNL-6000') return SYSCTLS.flatMap((row) => (sysctlKeys(row).includes(field) ? [row.fix] : []));
  const keyword = field.toLowerCase();
  return test === 'SSH-7408' && Object.hasOwn(BY_KEYWORD, keyword) ? (BY_KEYWORD[keyword] ?? []) : [];
}

/** One line for users. */
export function lynisWords(answer: LynisAnswer): string {
  if ('missing' in answer) return `no Lynis index: ${answer.missing}`;
  const { index, version, warnings, suggestions } = answer;
  return `Lynis ${version}: index ${index}, ${plural(warnings.length, 'warning')}, ${plural(suggestions, 'suggestion')}`;
}
