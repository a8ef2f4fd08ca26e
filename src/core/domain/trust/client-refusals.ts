/** Errors for refused client credentials. */

import { asWritten, DockerTlsError, type Hint, printable } from '../../../errors/errors.ts';
import type { StoredClient } from '../../adapters/store/records.ts';
import { offeredCommands } from '../../seams/offered-commands.ts';
import { listWords } from '../words.ts';

/** Throws for a client that was revoked, or that another CA issued: E_CLIENT_EXTERNAL, E_CLIENT_REVOKED (exit 2). */
export function refuseOther(client: StoredClient): void {
  const { record } = client;
  refuseForeign(client, [
    ...offeredCommands('request', record.name).map((one) => `a new request for those who issued it: ${one}`),
    '--client NAME',
  ]);
  if (record.revokedAt !== undefined)
    throw clientRevoked(record.name, record.revokedAt, `docker-tls client add ${record.name}-2`);
}

/** Throws for a client that cannot get a new key on this computer: as `refuseOther`, and E_CLIENT_NO_KEY (exit 2). */
export function refuseRenewal(client: StoredClient): void {
  refuseOther(client);
  if (client.key === undefined) throw externalKey(client.record.name);
}

/** Throws for a client issued by another CA: E_CLIENT_EXTERNAL (exit 2). */
export function refuseForeign({ record }: StoredClient, hints: readonly Hint[]): void {
  if (record.reaches === undefined) return;
  throw new DockerTlsError('E_CLIENT_EXTERNAL', 'this client was issued from another store and imported here', {
    where: record.name,
    hints,
  });
}

export function unknownClient(name: string): DockerTlsError {
  return new DockerTlsError('E_CLIENT_UNKNOWN', `no client ${name} in the store`, {
    hints: ['docker-tls client list'],
  });
}

export function requestForOther(name: string, commonName: string): DockerTlsError {
  return new DockerTlsError(
    'E_NAME',
    `the request is for "${printable(commonName, 64)}", and an external CA certifies that name`,
    { where: name, hints: offeredCommands('request', name).map((one) => asWritten(`where the key is: ${one}`)) },
  );
}

/** Steps to a certificate for a key on another computer. */
export function newRequest(where: string, name: string): Hint[] {
  return [
    ...offeredCommands('request', name).map((one) => asWritten(`${where}: ${one}`)),
    ...offeredCommands('signature', 'REQUEST').map((one) => `then here: ${one}`),
  ];
}

export function externalKey(name: string): DockerTlsError {
  return new DockerTlsError('E_CLIENT_NO_KEY', 'its key is on another computer and stays there', {
    where: name,
    hints: newRequest('on that computer', name),
  });
}

/** Clients without a key on this computer: E_CLIENT_NO_KEY (exit 2). */
export function noKeyHere(names: readonly string[], where: string): DockerTlsError {
  return new DockerTlsError(
    'E_CLIENT_NO_KEY',
    `the key of ${listWords(names, 3)} is not here: it is on another computer, or sealed for another operator`,
    {
      where,
      hints: [
        asWritten('for a client of your own, an operator who opens the CA: docker-tls operator remove YOU'),
        asWritten(`and then: docker-tls operator add YOU YOUR-KEY --without-ca --client ${names[0]}`),
        ...offeredCommands('import', 'FILE').map((one) => asWritten(`on the computer that has the key: ${one}`)),
      ],
    },
  );
}

export function clientRevoked(name: string, at: string, hint: string): DockerTlsError {
  return new DockerTlsError('E_CLIENT_REVOKED', `this client was revoked at ${at}`, { where: name, hints: [hint] });
}
