/** `socket list`: sockets for containers, by host. */

import { type CommandResult, defineCommand } from '../../../cli/command.ts';
import { storeOf } from '../../../core/actions/open-store.ts';
import { SYSTEM_PLACES } from '../../../core/domain/dockerd/paths.ts';
import { recordedSpecs } from '../../../core/domain/hosts/specs.ts';
import { coloursOf } from '../../../core/render/colours.ts';
import { renderTable } from '../../../core/render/table.ts';
import { parseSockets, socketPath } from '../domain/role-sockets.ts';

export type SocketListDocument = { readonly sockets: readonly ListedSocketDocument[] };

type ListedSocketDocument = {
  readonly host: string;
  readonly name: string;
  readonly role: string;
  /** On the host. */
  readonly path: string;
};

export const command = defineCommand({
  scope: ['store'],
  about: 'Reads the store: what hosts have since their last change.',
  examples: ['docker-tls socket list', 'docker-tls socket list build-1 --json'],
  args: { hosts: { summary: 'hosts (default: all)', many: true, completes: 'host' } },
  options: {},
  /** Fails with E_HOST_UNKNOWN (exit 2). */
  async run(context): Promise<CommandResult<SocketListDocument>> {
    const { args, runtime } = context;
    const state = await storeOf(context).read();
    const names = args.hosts.length > 0 ? args.hosts : [...state.hosts.keys()].sort();
    const sockets = recordedSpecs(names, state, { ssh: {} }).flatMap((spec) =>
      parseSockets(spec.sockets).map(({ name, role }) => ({
        ...{ host: spec.name, name, role },
        path: socketPath(name, spec.ssh.rootless ? '$XDG_RUNTIME_DIR' : SYSTEM_PLACES.run),
      })),
    );
    const text = renderTable(
      [{ title: 'HOST' }, { title: 'SOCKET' }, { title: 'ROLE' }, { title: 'PATH', shrinkTo: 20 }],
      sockets.map(({ host, name, role, path }) => [host, name, role, path]),
      { columns: runtime.io.columns, titleStyle: coloursOf(runtime.io).dim },
    );
    return { exit: 0, result: { sockets }, text: sockets.length === 0 ? 'no sockets' : text };
  },
});
