/** Errors of a CA that cannot issue: its key is external, or its credentials would lock clients out. */

import { asWritten, DockerTlsError } from '../../../errors/errors.ts';
import { offeredCommands } from '../../seams/offered-commands.ts';
import { newRequest } from './client-refusals.ts';

export function externalCaKey(): DockerTlsError {
  return new DockerTlsError(
    'E_CA_KEY_EXTERNAL',
    'the key of the CA is not in this store, so nothing can be issued here',
    {
      hints: [
        ...offeredCommands('signature', 'REQUEST').map((one) => asWritten(`where the key is: ${one}`)),
        ...offeredCommands('own-ca', '--cert FILE --sign-command COMMAND').map(
          (one) => `let step-ca, cfssl, Vault or a command sign: ${one}`,
        ),
        ...offeredCommands('new CA').map((one) => `if the key is lost: ${one}`),
      ],
    },
  );
}

/** A shared store names no file of this machine. */
export function credentialUnnamed(signer: string): DockerTlsError {
  return new DockerTlsError('E_SECRET_FILE', `no credential for ${signer} is named on this computer`, {
    details: ['a shared store has no path of a file: each computer names its own'],
    hints: offeredCommands('own-ca', '--credential-file FILE'),
  });
}

/** During a rotation: hosts that accept the client now would reject its new credentials. */
export function caNotAccepted(client: string, hosts: readonly string[]): DockerTlsError {
  const next = offeredCommands('new CA');
  return new DockerTlsError(
    'E_CA_NOT_ACCEPTED',
    `${hosts.join(', ')} ${hosts.length === 1 ? 'does' : 'do'} not accept the new CA yet, and the old one can no longer issue: new credentials would lock this client out there`,
    { where: client, hints: next.length > 0 ? next : [`docker-tls apply ${hosts.join(' ')}`] },
  );
}

/** `unfetched`: clients known to have only files of the old CA. */
export function caBreaksClients(hosts: readonly string[], unfetched: readonly string[] = []): DockerTlsError {
  return new DockerTlsError(
    'E_BREAKS_CLIENTS',
    `the old CA key is unavailable, so the new CA cannot be cross-signed: clients that still hold only the old CA will not trust this host${unfetched.length > 0 ? ` (${unfetched.join(', ')}, and every older copy)` : ''}`,
    {
      where: hosts.join(', '),
      hints: [
        ...unfetched.flatMap((name) => newRequest(`where ${name} is`, name)),
        ...offeredCommands('export', 'NAME', '--out', 'NAME.tar').map((one) => `for older copies: ${one}`),
        ...offeredCommands('new CA', '--no-overlap').map(
          (one) => `when every client has new files, or at their expense: ${one}`,
        ),
      ],
    },
  );
}

/** Hints where a store has a CA already. */
export function newCaHints(): string[] {
  return offeredCommands('new CA').map((one) => `a new one in its place, with no client locked out: ${one}`);
}

export function noCa(): DockerTlsError {
  return new DockerTlsError('E_NO_CA', 'there is no CA in this store yet', {
    hints: ['docker-tls ca create', ...offeredCommands('own-ca', '--cert FILE --key FILE')],
  });
}

/** E_CA_PASSPHRASE (exit 2). `declinable`: the command has --no-ca-passphrase; otherwise the CA must be created first. */
export function noPassphrase(declinable: boolean): DockerTlsError {
  const none = declinable ? '--no-ca-passphrase' : 'docker-tls ca create --no-ca-passphrase';
  const or = declinable ? none : `run ${none} first`;
  const hints = [
    '--ca-passphrase-file FILE',
    none,
    ...offeredCommands('own-ca', '--cert FILE --sign-command COMMAND --no-ca-passphrase').map(
      (one) => `with an external CA: ${one}`,
    ),
  ];
  const what = `no passphrase given for the new CA key; pass --ca-passphrase-file, set DOCKER_TLS_CA_PASSPHRASE, or ${or}`;
  return new DockerTlsError('E_CA_PASSPHRASE', what, { hints });
}
