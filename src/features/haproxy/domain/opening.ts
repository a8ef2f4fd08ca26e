/** Settings with which a host would have nothing for clients to connect to, or sockets that dockerd does not have. */

import { hasPort } from '../../../core/domain/network-port.ts';
import { shellQuote } from '../../../core/domain/quote.ts';
import type { HostSpec } from '../../../core/domain/settings.ts';
import { listsClients } from '../../../core/domain/trust/trust.ts';
import { DockerTlsError } from '../../../errors/errors.ts';
import { parseSockets } from './role-sockets.ts';

/** E_USAGE, exit 2. */
export function openingProblem(spec: HostSpec, recorded: boolean): DockerTlsError {
  return hasPort(spec) ? socketsOfDockerd(spec) : nothingOpen(spec, recorded);
}

/** Never hints at an address to listen on: it would open the host to a network. */
function nothingOpen(spec: HostSpec, recorded: boolean): DockerTlsError {
  const host = shellQuote(spec.name);
  const [message, hint] = listsClients(spec)
    ? ['no socket is left on the host, and --listen none opens no port', `docker-tls socket add NAME ${host}`]
    : [
        'dockerd itself accepts clients there, and needs a port: it has no sockets with a role',
        `docker-tls setup ${host} --listener haproxy --listen none --socket 'NAME read'`,
      ];
  const remove = recorded ? [`or take docker-tls off the host: docker-tls remove ${host}`] : [];
  return new DockerTlsError('E_USAGE', message, { where: spec.name, hints: [hint, ...remove] });
}

/** The sockets would go away with the listener, and the containers that mount them would lose the daemon. */
function socketsOfDockerd({ name, sockets }: HostSpec): DockerTlsError {
  return new DockerTlsError(
    'E_USAGE',
    'dockerd itself accepts clients there, and has no sockets with a role: remove them first',
    {
      where: name,
      hints: parseSockets(sockets).map(
        (socket) => `docker-tls socket remove ${shellQuote(socket.name)} ${shellQuote(name)}`,
      ),
    },
  );
}
