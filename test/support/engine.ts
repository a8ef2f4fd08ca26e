/** What serves the API on a host of the lab, for tests that look at it by hand: Docker, or Podman on hosts that have no Docker. */

import type { LabHost } from './lab.ts';

export type Engine = {
  /** Its command line, which answers without docker-tls. */
  readonly command: 'docker' | 'podman';
  readonly service: string;
  /** Shell text for the number of the daemon that serves the API, or of none. */
  readonly pid: string;
  /** The file of its local socket. */
  readonly socket: string;
  /** Words by which it asks clients for a certificate. */
  readonly tls: RegExp;
  /** Files and units that a set-up host with systemd has and another has not, apart from credentials and records. */
  readonly files: readonly string[];
  readonly units: readonly string[];
};

const UNITS = 'file /etc/systemd/system';

const DOCKER: Engine = {
  command: 'docker',
  service: 'docker.service',
  pid: '$(cat /run/docker.pid)',
  socket: '/run/docker.sock',
  tls: /--tlsverify --tlscacert=\/etc\/docker\/tls\/current/,
  files: [
    `${UNITS}/docker-tls.socket`,
    `${UNITS}/docker-tls-closed.service`,
    `${UNITS}/docker.service.d/zz-docker-tls.conf`,
    `${UNITS}/sockets.target.wants/docker-tls.socket`,
  ],
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
  return suite === 'podman' ? PODMAN : DOCKER;
}
