/** Owns the errors of running commands that more than one file has to tell. */

import { DockerTlsError, interrupted as interruption } from '../../errors/errors.ts';

/** The host answers, but nothing can be run there. */
export function noShell(host: string, user: string, what: string, details: string[] = []): DockerTlsError {
  return new DockerTlsError({
    code: 'E_SSH_NO_SHELL',
    message: `${user} logged in, but the host ${what}`,
    where: host,
    hints: [`the user needs a login shell and no forced command; on the host, as root: getent passwd ${user}`],
    details,
  });
}

/** Ctrl-C or another abort, during this phase. */
export function interrupted(host: string, phase: string): DockerTlsError {
  return interruption(`interrupted during ${phase}`, { where: host });
}
