/** Errors common to all engines. */

import { DockerTlsError, type Hint } from '../../../errors/errors.ts';
import type { Most } from './engine.ts';

/** The connection broke, or the run was stopped, while a change was pending. `reason` and `hints` come from the engine. */
export function unknownEnding(url: string, reason: string, hints: readonly Hint[], cause: unknown): DockerTlsError {
  return new DockerTlsError(
    'E_STORE_UNREACHABLE',
    `the connection to the store broke while a change was stored (${reason}), so it may be stored or not`,
    {
      where: url,
      hints: ['once it can be reached, run the same command again', ...hints],
      cause,
    },
  );
}

export function changed(url: string): DockerTlsError {
  return new DockerTlsError('E_STORE_CHANGED', 'other runs kept changing the store in the meantime', {
    where: url,
    hints: ['run the same command again'],
  });
}

/** docker-tls never writes that much (session.ts). */
export function tooMuch(url: string, { files, bytes }: Most): DockerTlsError {
  const what = `the store has more than ${files.toLocaleString('en')} files or ${bytes / 1024 / 1024} MB`;
  return new DockerTlsError('E_STORE_TAMPERED', `${what}; nothing of it was used`, {
    where: url,
    hints: ['ask a colleague whether this is the address of your store'],
  });
}

/** One value is larger than any that docker-tls writes. */
export function unreadable(url: string, cause: Error): DockerTlsError {
  return new DockerTlsError('E_STORE_TAMPERED', `the store has a value that is too large; nothing of it was used`, {
    where: url,
    cause,
    hints: ['ask a colleague whether this is the address of your store'],
  });
}

/** No team makes that many commits, or that long ones. */
export function tooLong(url: string): DockerTlsError {
  return new DockerTlsError(
    'E_STORE_TAMPERED',
    'the history of the store is longer than docker-tls reads; nothing of it was used',
    {
      where: url,
      hints: [
        'ask a colleague whether this is the address of your store',
        'on a computer that used the store before: docker-tls store copy --to ANOTHER',
      ],
    },
  );
}
