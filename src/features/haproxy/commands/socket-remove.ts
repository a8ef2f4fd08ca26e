/** `socket remove NAME HOST`: takes a socket for containers away. */

import { type CommandResult, defineCommand } from '../../../cli/command.ts';
import { RUN_OPTIONS } from '../../../cli/host-options.ts';
import { shellQuote } from '../../../core/domain/quote.ts';
import type { ChangeDocument } from '../../../core/render/change-document.ts';
import { renderChange } from '../../../core/render/change-result.ts';
import { DockerTlsError, printable } from '../../../errors/errors.ts';
import { changeSockets } from '../actions/change-sockets.ts';
import { parseSockets, withoutSocket } from '../domain/role-sockets.ts';

export type SocketRemoveDocument = ChangeDocument;

export const command = defineCommand({
  scope: ['fleet', 'hosts', 'changes', 'plans', 'store'],
  about: 'Programs that use it lose the daemon at once. HAProxy stays: `docker-tls remove HOST` takes that away.',
  examples: ['docker-tls socket remove traefik build-1'],
  args: {
    name: { summary: 'name of the socket', required: true },
    host: { summary: 'the host', required: true, completes: 'host' },
  },
  options: RUN_OPTIONS,
  /** Fails with E_LISTENER (exit 4) if the host has no such socket. */
  async run(context): Promise<CommandResult<SocketRemoveDocument>> {
    const { args, options } = context;
    const changed = await changeSockets(context, args.host, options, (sockets) => {
      if (parseSockets(sockets).some(({ name }) => name === args.name)) return withoutSocket(sockets, args.name);
      throw new DockerTlsError('E_LISTENER', `there is no socket ${printable(args.name)}`, {
        where: args.host,
        hints: [`docker-tls socket list ${shellQuote(args.host)}`],
      });
    });
    return renderChange(changed, context);
  },
});
