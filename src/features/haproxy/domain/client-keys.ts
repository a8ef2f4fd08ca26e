/** Names of clients in the configuration of HAProxy: keys of its map, and its servers. */

import { MAX_COMMON_NAME } from '../../../core/domain/pki/profiles.ts';
import { shellQuote } from '../../../core/domain/quote.ts';
import { DockerTlsError } from '../../../errors/errors.ts';

export type RoleClient = {
  readonly name: string;
  readonly role: string;
  readonly by: readonly Naming[];
};

/** What names a client: its own issuing CA, or the subject of a certificate that one of our CAs signed directly. */
type Naming = 'issuer' | 'subject';

/** Subject of a client's issuing CA (clientAuthorityName); its second word is the client's name, cut if it is long. */
export const ISSUING_CA = '^client [A-Za-z0-9][A-Za-z0-9._@+-]* [0-9a-f]{8}$';
const CUT = MAX_COMMON_NAME - 'client '.length - ' 01234567'.length;

/** Key of a client in the map. An issuer and a subject never have the same. */
export function clientKey(name: string, by: Naming): string {
  return by === 'issuer' ? `issuer:${name.slice(0, CUT)}` : `subject:${name}`;
}

/** Name of the server in a backend that carries the connections of a client, for `shutdown sessions server BACKEND/SERVER`. */
export function clientServer(name: string): string {
  return `client:${serverName(name)}`;
}

/** The same for a socket. */
export const SOCKET_SERVER = 'socket:';
export function socketServer(name: string): string {
  return `${SOCKET_SERVER}${serverName(name)}`;
}

/** Server of all clients of other CAs. */
export const OTHER_SERVER = 'other';

/** HAProxy takes no @ and no + in names; names of clients have no colon. */
function serverName(name: string): string {
  return name.replaceAll('@', ':40').replaceAll('+', ':2b');
}

export function backendOf(role: string): string {
  return role === 'full' ? 'full' : `role-${role}`;
}

/**
 * Lines of the map: `KEY NAME/ROLE/SERVER`. Fails with E_CLIENTS_ALIKE if the certificates of two clients, or of one and a rejected one,
 * cannot be told apart.
 */
export function renderClients(clients: readonly RoleClient[], rejected: readonly string[]): string {
  const names = new Map(rejected.map((name) => [clientKey(name, 'issuer'), name]));
  const line = ({ name, role }: RoleClient, by: Naming) => {
    const key = clientKey(name, by);
    const other = names.get(key);
    if (other !== undefined && other !== name)
      throw new DockerTlsError(
        'E_CLIENTS_ALIKE',
        `the clients ${other} and ${name} cannot be told apart: their names begin with the same ${CUT} characters`,
        { hints: ['docker-tls client add SHORTER-NAME', `docker-tls client revoke ${shellQuote(name)}`] },
      );
    names.set(key, name);
    return `${key} ${name}/${role}/${clientServer(name)}\n`;
  };
  return clients
    .flatMap((client) => client.by.map((by) => line(client, by)))
    .sort()
    .join('');
}
