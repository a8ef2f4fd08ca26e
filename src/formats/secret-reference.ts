/** References to secrets: `env:NAME`, `file:PATH` or `prompt`. The caller resolves them. */

import { DockerTlsError } from '../errors/errors.ts';

export const SECRET_REFERENCE_PATTERN =
  '^(env:[A-Za-z_][A-Za-z0-9_]{0,127}|file:[^\\u0000-\\u001f\\u007f]{1,4096}|prompt)$';

/**
 * Fails with E_SECRET_REFERENCE (exit 2) for anything but `env:NAME`, `file:PATH` and `prompt`. The text may be the secret itself, so the
 * error does not quote it.
 */
export function checkSecretReference(text: string): void {
  if (!new RegExp(SECRET_REFERENCE_PATTERN).test(text)) throw secretReferenceError();
}

/** E_SECRET_REFERENCE: the text is not a reference to a secret. */
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
