/** References to secrets, where no secret may be: `env:NAME`, `file:PATH` or `prompt`. Reading it is the caller's. */

import { DockerTlsError } from '../../errors/errors.ts';

export const SECRET_REFERENCE_PATTERN =
  '^(env:[A-Za-z_][A-Za-z0-9_]{0,127}|file:[^\\u0000-\\u001f\\u007f]{1,4096}|prompt)$';

/**
 * Fails with E_SECRET_REFERENCE (exit 2) for everything else than `env:NAME`, `file:PATH` and `prompt`; since that may be the secret
 * itself, the error does not repeat it.
 */
export function checkSecretReference(text: string): void {
  if (!new RegExp(SECRET_REFERENCE_PATTERN).test(text)) throw secretReferenceError();
}

/** E_SECRET_REFERENCE: something that is not the name of a secret is in its place. */
export function secretReferenceError(): DockerTlsError {
  return new DockerTlsError(
    'E_SECRET_REFERENCE',
    'a secret is never written in a file; name where it comes from: env:NAME, file:PATH or prompt',
    {
      hints: [
        'if this was a real password, change it: the file may have been copied already',
        'prompt asks for it at each run',
      ],
    },
  );
}

/** The environment variables among the references, each once. */
export function environmentOf(references: readonly (string | undefined)[]): string[] {
  return [...new Set(references.flatMap((one) => (one?.startsWith('env:') ? [one.slice(4)] : [])))];
}
