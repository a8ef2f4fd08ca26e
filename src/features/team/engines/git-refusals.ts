/** Errors of git and git repositories as the store of a team. */

import { shellQuote } from '../../../core/domain/quote.ts';
import { maskPasswords } from '../../../core/domain/secret.ts';
import { asWritten, DockerTlsError } from '../../../errors/errors.ts';
import { GitFailure } from './git-command.ts';

export function gitUnreachable(url: string, remote: string, cause: unknown): unknown {
  if (!(cause instanceof GitFailure)) return cause;
  return new DockerTlsError('E_STORE_UNREACHABLE', `the store cannot be reached: ${maskPasswords(cause.message)}`, {
    where: url,
    hints: [`git ls-remote ${shellQuote(remote)}`],
    cause,
  });
}

/** The repository names a commit but cannot send it: objects are damaged or missing. */
export function incomplete(url: string, remote: string, cause: unknown): unknown {
  const error = gitUnreachable(url, remote, cause);
  if (!(error instanceof DockerTlsError)) return error;
  return new DockerTlsError(error.code, error.message, {
    where: url,
    hints: [
      ...error.hints,
      asWritten(
        'if that works, the repository is damaged: make it anew, empty, then where the store was used last: docker-tls store restore',
      ),
    ],
    cause,
  });
}

export function notAccepted(url: string, remote: string, reason: string): DockerTlsError {
  return new DockerTlsError(
    'E_STORE_UNREACHABLE',
    `the store rejects changes from this computer: ${maskPasswords(reason)}`,
    {
      where: url,
      hints: [`git ls-remote ${shellQuote(remote)}`, 'you need the right to push to this branch, without a review'],
    },
  );
}
