/** `socket add NAME HOST`: a socket with a role, for containers on the host. */

import { type CommandResult, defineCommand } from '../../../cli/command.ts';
import { HOST_OPTIONS, RUN_OPTIONS } from '../../../cli/host-options.ts';
import type { Changed } from '../../../core/actions/results.ts';
import { SYSTEM_PLACES } from '../../../core/domain/dockerd/paths.ts';
import { readSetting } from '../../../core/domain/setting-problems.ts';
import { HOST_SETTINGS } from '../../../core/domain/settings.ts';
import { specsOf } from '../../../core/domain/trust/changes.ts';
import type { ChangeDocument } from '../../../core/render/change-document.ts';
import { renderChange } from '../../../core/render/change-result.ts';
import { changeSockets } from '../actions/change-sockets.ts';
import { socketPath, withSocket } from '../domain/role-sockets.ts';

export type SocketAddDocument = ChangeDocument;

export const command = defineCommand({
  scope: ['fleet', 'hosts', 'changes', 'plans', 'store'],
  about:
    'Makes /run/docker-tls/NAME.sock on the host. A program that opens it may send the requests of the role, and nothing else: mount it in place of docker.sock.\nA host that has not been set up gets HAProxy, and no port: it listens on its sockets alone.',
  examples: [
    'docker-tls socket add traefik root@build-1 --role read --install',
    'docker-tls socket add dozzle build-1 --role read',
  ],
  args: {
    name: { summary: 'name of the socket', required: true },
    host: { summary: '[user@]name[:port], ssh://…, or local', required: true, completes: 'host' },
  },
  options: {
    ...RUN_OPTIONS,
    role: { kind: 'text', value: 'ROLE', summary: 'role of programs that use it (default: read)' },
    install: HOST_OPTIONS.install,
  },
  async run(context): Promise<CommandResult<SocketAddDocument>> {
    const { args, options } = context;
    const { role = 'read' } = options;
    // Checked before any connection.
    readSetting(HOST_SETTINGS.sockets, [`${args.name} ${role}`], '');
    const changed = await changeSockets(context, args.host, { ...options, installs: options.install }, (sockets) =>
      withSocket(sockets, { name: args.name, role }),
    );
    const result = renderChange(changed, context);
    const path = madeSocket(changed, args.name);
    return path === undefined ? result : { ...result, text: `${result.text}\n\nmount ${path} in place of docker.sock` };
  },
});

/** Its path on the host; undefined: the run has not made it. */
export function madeSocket(
  { planned, results, wanted }: Pick<Changed, 'planned' | 'results' | 'wanted'>,
  name: string,
): string | undefined {
  const [spec] = specsOf(wanted);
  if (planned !== undefined || spec === undefined || results.some(({ kind }) => kind !== 'done')) return undefined;
  return socketPath(name, spec.ssh.rootless ? '$XDG_RUNTIME_DIR' : SYSTEM_PLACES.run);
}
