/** Names of docker contexts. */

import { contextNameProblem } from '../../../core/domain/names.ts';
import { DockerTlsError } from '../../../errors/errors.ts';

/** Fails with E_CONTEXT_NAME (exit 2). */
export function checkContextName(name: string): void {
  const why = contextNameProblem(name);
  if (why === undefined) return;
  throw new DockerTlsError('E_CONTEXT_NAME', `"${name}" cannot be the name of a docker context: ${why}`, {
    hints: ['docker-tls context HOST --context NAME'],
  });
}
