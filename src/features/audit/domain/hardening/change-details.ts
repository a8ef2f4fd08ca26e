/** What a change with fixes shows and needs of them. Every change loads it, so it imports none of the fixes. */

import type { FileChange } from '../../../../core/domain/plan/file-change.ts';

/** Our drop-in; its name sorts before common first drop-ins (00-base.conf), since sshd uses the first value of an option. */
export const SSHD_DROP_IN = '/etc/ssh/sshd_config.d/0-docker-tls.conf';

/** A kernel setting with its value, or with the default for interfaces. */
export function sysctlWords({ path, mode }: FileChange): string {
  if (!path.includes('*')) return `${path} = ${mode}`;
  const values = mode.split(' ').map((word) => word.slice(word.lastIndexOf('=') + 1));
  const usual = /(?:^| )default=(\S+)/.exec(mode)?.[1] ?? '';
  return `${path} = ${usual}${values.every((value) => value === usual) ? '' : ', some interfaces otherwise'}`;
}

export function loopbackWords({ mode }: FileChange): string {
  return mode === 'dropped'
    ? 'packets for 127.0.0.0/8 that do not come over lo are dropped'
    : 'the rule that drops packets for 127.0.0.0/8 goes; route_localnet of the bridges has its previous value again';
}
