/** Owns the words by which a CA can't issue: its key is elsewhere, or its papers would lock somebody out. */

import { DockerTlsError } from '../errors.ts';

export function caKeyElsewhere(): DockerTlsError {
  return new DockerTlsError({
    code: 'E_CA_KEY_ELSEWHERE',
    exit: 2,
    message: 'the key of the CA is not in this store, so nothing can be issued here',
    hints: [
      'where the key is: docker-tls client sign REQUEST',
      'have a command sign: docker-tls ca import --cert FILE --sign-command COMMAND',
      'if the key is lost: docker-tls rotate ca',
    ],
  });
}

/** In the middle of a rotation: hosts that accept the client today would turn its new papers away. */
export function caNotAccepted(client: string, hosts: readonly string[]): DockerTlsError {
  return new DockerTlsError({
    code: 'E_CA_NOT_ACCEPTED',
    exit: 3,
    where: client,
    message: `${hosts.join(', ')} ${hosts.length === 1 ? 'does' : 'do'} not accept the new CA yet, and the old one can't issue any more: new papers would lock this client out there`,
    hints: ['docker-tls rotate ca'],
  });
}

/** `unfetched`: clients that are known to have only files of the old CA. */
export function caCutsOff(hosts: readonly string[], unfetched: readonly string[] = []): DockerTlsError {
  return new DockerTlsError({
    code: 'E_CUT_OFF',
    exit: 3,
    where: hosts.join(', '),
    message: `the old CA can't vouch for the new one, since its key is not here: with a certificate of the new CA the host is a stranger to whoever has not fetched new files${unfetched.length > 0 ? `, which are ${unfetched.join(', ')} and everybody who uses an older copy` : ''}`,
    hints: [
      ...unfetched.flatMap((name) => [
        `where ${name} is: docker-tls client request ${name}`,
        `then here: docker-tls client sign REQUEST`,
      ]),
      'for older copies: docker-tls client export NAME --out NAME.tar',
      'when everybody has new files, or at their expense: docker-tls rotate ca --cut-off',
    ],
  });
}
