/** Verification of the sockets for containers: requests on the host, as a container would send them. */

import type { ProbeCheck } from '../../../core/domain/plan/outcome.ts';
import { shellAssignments } from '../../../core/domain/quote.ts';
import type { Runtime } from '../../../core/runtime.ts';
import type { ListenerCode } from '../../../core/seams/listeners.ts';
import { DockerTlsError } from '../../../errors/errors.ts';
import { parseSockets } from '../domain/role-sockets.ts';
import { answered, judgeSocket, parseAnswers } from '../domain/socket-answers.ts';
import { SOCKET_CHECK_SCRIPT } from '../host/scripts.ts';
import { refusedPath } from './open-listener.ts';

/** Fails as the session does, and with E_FACTS (exit 4). */
export async function checkSockets(
  { session, spec, inactive = [] }: Parameters<ListenerCode['checkSockets']>[0],
  { signal }: Pick<Runtime, 'signal'>,
): Promise<readonly ProbeCheck[]> {
  const sockets = parseSockets(spec.sockets).map((one) => ({
    ...one,
    outside: refusedPath(one.role, spec.roles ?? []),
  }));
  const asked = sockets.map(({ name, outside = '' }) => `${name} ${outside}`.trimEnd()).join('\n');
  const { stdout } = await session.run({
    phase: 'sockets',
    script: `${shellAssignments({ SOCKETS: asked })}\n${SOCKET_CHECK_SCRIPT}`,
    asRoot: true,
    timeoutMs: 60_000,
    signal,
  });
  const answers = parseAnswers(stdout);
  if (answers === undefined)
    throw new DockerTlsError('E_FACTS', 'the host did not send all answers of its sockets', {
      where: session.host,
      hints: ['try again'],
    });
  const onHost = spec.ssh.rootless ? 'user' : 'root';
  return sockets.flatMap((socket) => {
    const found = answers.get(socket.name) ?? new Map();
    return inactive.includes(socket.name) && !answered(found) ? [] : judgeSocket(socket, found, onHost);
  });
}
