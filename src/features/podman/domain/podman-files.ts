/** Paths and files of a host where Podman serves the API, its start command, and ports that stay open. */

import { renderSocketUnit } from '../../../core/domain/dockerd/drop-in.ts';
import { type Places, SYSTEM_PLACES, UNITS } from '../../../core/domain/dockerd/paths.ts';
import type { DaemonFiles } from '../../../core/domain/plan/daemon-files.ts';
import type { DaemonStart } from '../../../core/domain/plan/daemon-start.ts';
import type { HostFacts } from '../../../core/domain/plan/facts.ts';
import { type FileChange, link, textFile } from '../../../core/domain/plan/file-change.ts';
import type { DesiredListener } from '../../../core/domain/plan/listener.ts';
import { localSocketPorts } from '../../../core/domain/plan/plain-tcp.ts';
import { PODMAN_SERVICE, PODMAN_SOCKET, renderPodmanApi, renderPodmanService } from './podman-units.ts';

export const PODMAN_PLACES: Places = {
  ...SYSTEM_PLACES,
  dropIns: `${UNITS}/${PODMAN_SERVICE}.d`,
  socket: `${UNITS}/${PODMAN_SOCKET}`,
  socketWants: `${UNITS}/sockets.target.wants/${PODMAN_SOCKET}`,
  localSocket: '/run/podman/podman.sock',
};

/** Our socket and service, and the links that start them at boot; Podman's own units stay unchanged. */
export function podmanFiles({ facts, desired }: DaemonFiles): FileChange[] {
  const { socket, socketWants } = facts.places;
  const ends = { service: PODMAN_SERVICE, condition: `${UNITS}/${PODMAN_SERVICE}` };
  return [
    textFile(socket, renderSocketUnit(desired.listen, desired.port, ends)),
    link(socketWants, `../${PODMAN_SOCKET}`),
    ...serviceFiles(renderPodmanService(facts.docker.binary)),
  ];
}

/** Podman has no service of its own that a listener could use. */
export function filesBehind({ docker }: HostFacts, { group = 'root' }: DesiredListener): FileChange[] {
  return serviceFiles(renderPodmanApi(docker.binary, group));
}

function serviceFiles(text: string): FileChange[] {
  return [
    textFile(`${UNITS}/${PODMAN_SERVICE}`, text),
    link(`${UNITS}/multi-user.target.wants/${PODMAN_SERVICE}`, `../${PODMAN_SERVICE}`),
  ];
}

/** Our service: its whole command line is ours, and systemd passes the socket. */
export function startOfPodman({ docker }: HostFacts): DaemonStart {
  const handed = { name: '--host', value: 'fd://', words: [] };
  return {
    execStart: undefined,
    commandLine: { head: [], program: docker.binary, environment: [], flags: [handed] },
    otherDropIns: [],
    variable: () => undefined,
  };
}

export function socketWarnings(facts: HostFacts): string[] {
  return localSocketPorts(facts).map(
    (address) =>
      `podman.socket listens on ${address} as well, and docker-tls does not change it: unless podman.service uses TLS, every client there is root on the host without a certificate`,
  );
}
