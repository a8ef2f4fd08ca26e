/** Service in which Podman serves Docker's API and its own under mutual TLS; and the Podman versions that can. */

import { CURRENT_LINK, SERVER_FILES } from '../../../core/domain/dockerd/paths.ts';

export const PODMAN_SERVICE = 'docker-tls-podman.service';
export const PODMAN_SOCKET = 'docker-tls-podman.socket';
/** Where that service serves a listener in front of it. Only root may enter the directory of Podman's own socket. */
export const PODMAN_API = '/run/docker-tls-podman.sock';

/** First version with `--tls-client-ca`. */
const FIRST_WITH_TLS = [5, 7] as const;

/** Podman's flag for the CA of accepted clients. */
export const PODMAN_TRUST = '--tls-client-ca';

/** Whether this version (`5.8.6`) serves TLS; an unknown version counts as yes. */
export function servesTls(version: string): boolean {
  const [major = Number.NaN, minor = 0] = version.split('.').map((part) => Number.parseInt(part, 10));
  const [first, second] = FIRST_WITH_TLS;
  return Number.isNaN(major) || major > first || (major === first && minor >= second);
}

/**
 * Podman accepts only one socket, and gets it from systemd. `KillMode=process` and `Delegate` are as in Podman's own unit, so that
 * containers survive it. Podman reports readiness before it reads its certificate: the pause lets systemd notice an early exit.
 */
export function renderPodmanService(program: string): string {
  const [cert, key, ca] = [SERVER_FILES.cert, SERVER_FILES.key, SERVER_FILES.ca].map(
    (name) => `${CURRENT_LINK}/${name}`,
  );
  return serviceOf(
    ['Description=Podman API over mutual TLS (docker-tls)', `Requires=${PODMAN_SOCKET}`, `After=${PODMAN_SOCKET}`],
    [
      `ExecStart=${program} system service --time=0 --tls-cert=${cert} --tls-key=${key} ${PODMAN_TRUST}=${ca}`,
      'ExecStartPost=/bin/sleep 0.2',
    ],
  );
}

/**
 * The same behind a listener, which needs its group to open the socket. Podman makes the socket for root alone, and removes it at its
 * end, unless it is killed.
 */
export function renderPodmanApi(program: string, group: string): string {
  return serviceOf(
    ['Description=Podman API behind a listener (docker-tls)'],
    [
      `ExecStart=${program} system service --time=0 unix://${PODMAN_API}`,
      `ExecStartPost=/bin/chgrp ${group} ${PODMAN_API}`,
      `ExecStartPost=/bin/chmod 0660 ${PODMAN_API}`,
      `ExecStopPost=-/bin/rm -f ${PODMAN_API}`,
    ],
  );
}

function serviceOf(unit: readonly string[], commands: readonly string[]): string {
  return [
    '# Written by docker-tls. Changes made here are shown as drift by `docker-tls plan`.',
    '# `docker-tls remove HOST` takes it away again.',
    '[Unit]',
    ...unit,
    '',
    '[Service]',
    'Type=notify',
    'Delegate=true',
    'KillMode=process',
    'Restart=always',
    ...commands,
    '',
    '[Install]',
    'WantedBy=multi-user.target',
    '',
  ].join('\n');
}
