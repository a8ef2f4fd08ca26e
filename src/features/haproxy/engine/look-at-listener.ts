/** State of HAProxy on a connected host, for a diagnosis. */

import { LISTENER_SERVICE } from '../../../core/domain/dockerd/paths.ts';
import { fileText } from '../../../core/domain/plan/facts.ts';
import { kindOf } from '../../../core/domain/plan/host-kind.ts';
import { shellAssignments } from '../../../core/domain/quote.ts';
import type { Runtime } from '../../../core/runtime.ts';
import type { ListenerRequest, ListenerState } from '../../../core/seams/listeners.ts';
import { DockerTlsError } from '../../../errors/errors.ts';
import { engineSocket } from '../domain/engine-socket.ts';
import { judgeListener } from '../domain/listener-state.ts';
import { inactiveSockets, inactivityOf, socketNames } from '../domain/program-sockets.ts';
import { CONFIG_NAME } from '../domain/role-names.ts';
import { LISTENER_STATE_SCRIPT } from '../host/scripts.ts';

/** Fails as the session does, and with E_FACTS (exit 4). */
export async function lookAtListener(
  { session, spec, facts }: Pick<ListenerRequest, 'session' | 'spec' | 'facts'>,
  { signal }: Pick<Runtime, 'signal'>,
): Promise<ListenerState> {
  const socket = engineSocket(facts);
  const whose = kindOf(facts).systemctl.slice(1);
  const variables = { SERVICE: LISTENER_SERVICE, SOCKET: socket, WHOSE: whose.join(' '), PORT: `${spec.port}` };
  const { stdout } = await session.run({
    phase: 'listener state',
    script: `${shellAssignments(variables)}\n${LISTENER_STATE_SCRIPT}`,
    asRoot: true,
    timeoutMs: 60_000,
    signal,
  });
  const config = fileText(facts, `${facts.places.tls}/${CONFIG_NAME}`) ?? '';
  const found = judgeListener(stdout, {
    ...{ host: spec.name, login: session.login, distribution: facts.distribution, socket, whose, port: spec.port },
    inactive: inactiveSockets(facts, socketNames(spec.sockets)).map((name) => ({
      name,
      ...inactivityOf(facts, name, session.login),
    })),
    group: /^ {2}group (\S+)$/m.exec(config)?.[1],
  });
  if (found === undefined)
    throw new DockerTlsError('E_FACTS', 'the host did not send all facts about HAProxy', {
      where: session.host,
      hints: ['try again'],
    });
  return found;
}
