/** Owns the words for what every engine refuses. */

import { DockerTlsError, type Hint } from '../../../errors/errors.ts';

/** A change was on its way when the connection broke, or the run was stopped. `reason` and `hints`: of the engine. */
export function unknownEnding(url: string, reason: string, hints: readonly Hint[], cause: unknown): DockerTlsError {
  return new DockerTlsError(
    'E_STORE_UNREACHABLE',
    `the connection to the store broke while a change was stored (${reason}), so it may be stored or not`,
    {
      where: url,
      hints: ['when it can be reached again, run the same command again: it begins from what is stored', ...hints],
      cause,
    },
  );
}

export function changed(url: string): DockerTlsError {
  return new DockerTlsError('E_STORE_CHANGED', 'other runs kept changing the store in the meantime', {
    where: url,
    hints: ['run the same command again: it begins from what is stored now'],
  });
}
