/** docker-tls commands in a report: ready to paste, with the name of the host or file. */

import { shellQuote } from '../../../../core/domain/quote.ts';
import type { FixName } from '../fix-names.ts';
import { fixesCommand } from '../fixes.ts';
import { LYNIS_AUTH_TRIES } from '../lynis.ts';
import { clean } from './clean.ts';
import type { AuditedFile, AuditedHost } from './report.ts';

export function hostCommand(command: string, { kind, name }: AuditedHost | AuditedFile): string {
  const [verb = '', ...options] = command.split(' ');
  const subject = kind === 'host' ? [] : [`--${kind}`];
  return ['docker-tls', verb, ...subject, shellQuote(clean(name)), ...options].join(' ');
}

/** Command for the fixes that raise Lynis' index. */
export function raisingCommand(fixes: readonly FixName[], host: AuditedHost): string {
  const tries = fixes.includes('sshd') ? ` --max-auth-tries ${LYNIS_AUTH_TRIES}` : '';
  return hostCommand(fixesCommand(fixes) + tries, host);
}
