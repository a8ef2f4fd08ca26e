/** The container engine of a lab host, for tests that call it directly: Docker, or Podman on hosts without Docker. */

import type { LabHost } from './lab.ts';

export type Engine = {
  /** Its command line, independent of docker-tls. */
  readonly command: 'docker' | 'podman';
  readonly service: string;
  /** Shell text for the process number of the daemon that serves the API, or 0. */
  readonly pid: string;
  /** The path of its local socket. */
  readonly socket: string;
  /** Its arguments that require a client certificate. */
  readonly tls: RegExp;
  /** Files and units that only a set-up host with systemd has, apart from credentials and records. */
  readonly files: readonly string[];
  readonly units: readonly string[];
};

const UNITS = 'file /etc/systemd/system';

const DOCKER_SOCKET = [`${UNITS}/docker-tls.socket`, `${UNITS}/sockets.target.wants/docker-tls.socket`];

const DOCKER: Engine = {
  command: 'docker',
  service: 'docker.service',
  pid: '$(cat /run/docker.pid)',
  socket: '/run/docker.sock',
  tls: /--tlsverify --tlscacert=\/etc\/docker\/tls\/current/,
  files: [...DOCKER_SOCKET, `${UNITS}/docker-tls-closed.service`, `${UNITS}/docker.service.d/zz-docker-tls.conf`],
  units: ['docker-tls.socket', 'docker.service'],
};

const PODMAN: Engine = {
  command: 'podman',
  service: 'docker-tls-podman.service',
  pid: '$(systemctl show -p MainPID --value docker-tls-podman.service)',
  socket: '/run/podman/podman.sock',
  tls: /--tls-client-ca=\/etc\/docker\/tls\/current/,
  files: [
    `${UNITS}/docker-tls-podman.socket`,
    `${UNITS}/docker-tls-podman.service`,
    `${UNITS}/sockets.target.wants/docker-tls-podman.socket`,
    `${UNITS}/multi-user.target.wants/docker-tls-podman.service`,
  ],
  units: ['docker-tls-podman.socket', 'docker-tls-podman.service'],
};

export function engineOf({ suite }: Pick<LabHost, 'suite'>): Engine {
  return suite.startsWith('podman') ? PODMAN : DOCKER;
}

export const HAPROXY_UNIT = `${UNITS}/docker-tls-haproxy.service`;

/** The engine of a host on which HAProxy accepts clients. */
export function engineBehind(host: Pick<LabHost, 'suite'>): Engine {
  const engine = engineOf(host);
  const isPodman = engine === PODMAN;
  // dockerd's own unit stays as it is; Podman's service is ours, and listens on a socket that HAProxy may open.
  const own = isPodman ? [...PODMAN.files, 'file /run/docker-tls-podman.sock'] : DOCKER_SOCKET;
  return {
    ...engine,
    tls: isPodman ? /^(?!.*--tls-client-ca)/ : /^(?!.*--tlsverify)/,
    files: [
      ...own,
      HAPROXY_UNIT,
      `${UNITS}/multi-user.target.wants/docker-tls-haproxy.service`,
      'file /etc/docker/tls/haproxy.cfg',
      'file /etc/docker/tls/clients.map',
      'file /run/docker-tls-haproxy',
    ],
    units: [...engine.units, 'docker-tls-haproxy.service'],
  };
}
