/** Commands of features that hints name. */

import { seam } from './seam.ts';

/**
 * `diagnosis`: finds out why a client does not reach a host. `renewals`: lets due certificates be renewed without a person. `tunnel`: reaches
 * the daemon through SSH. `request`: asks for a certificate of a key that stays where it is; `signature`: answers that. `export`: a client
 * as a file; `import`: takes the file in. `own-ca`: takes a CA in that another tool made. `new CA`: puts another CA in the place of the
 * store's, in stages.
 */
type Purpose =
  | 'diagnosis'
  | 'renewals'
  | 'tunnel'
  | 'request'
  | 'signature'
  | 'export'
  | 'import'
  | 'own-ca'
  | 'new CA';

export const OFFERED_COMMANDS = seam<{ readonly purpose: Purpose; readonly command: string }>();

/** Hints: the commands for a purpose, with arguments. Empty if no feature has one. */
export function offeredCommands(purpose: Purpose, ...args: readonly string[]): string[] {
  return OFFERED_COMMANDS.all.flatMap((one) => (one.purpose === purpose ? [[one.command, ...args].join(' ')] : []));
}
