/** The text of the service by which Podman serves Docker's API, and its own, under mutual TLS, and which versions of Podman can. */

import { CURRENT_LINK, PODMAN_SOCKET, SERVER_FILES } from './paths.ts';

/** The first with `--tls-client-ca`. */
const FIRST_WITH_TLS = [5, 7] as const;

/** The flag of Podman for the CA whose clients it accepts. */
export const PODMAN_TRUST = '--tls-client-ca';

/** Whether this version (`5.8.6`) serves TLS; one that is not known is taken to. */
export function servesTls(version: string): boolean {
  const [major = Number.NaN, minor = 0] = version.split('.').map((part) => Number.parseInt(part, 10));
  const [first, second] = FIRST_WITH_TLS;
  return Number.isNaN(major) || major > first || (major === first && minor >= second);
}

/**
 * systemd hands it the one socket that it takes. `KillMode=process` and `Delegate`: as in Podman's own unit, so that containers outlive
 * it. Podman says that it is ready before it reads its certificate: the pause lets systemd see that it has ended then.
 */
export function renderPodmanService(program: string): string {
  return [
    '# Written by docker-tls. Changes made here are shown as drift by `docker-tls plan`.',
    '# `docker-tls remove HOST` takes it away again.',
    '[Unit]',
    'Description=Podman API over mutual TLS (docker-tls)',
    `Requires=${PODMAN_SOCKET}`,
    `After=${PODMAN_SOCKET}`,
    '',
    '[Service]',
    'Type=notify',
    'Delegate=true',
    'KillMode=process',
    'Restart=always',
    `ExecStart=${program} system service --time=0 --tls-cert=${CURRENT_LINK}/${SERVER_FILES.cert} --tls-key=${CURRENT_LINK}/${SERVER_FILES.key} ${PODMAN_TRUST}=${CURRENT_LINK}/${SERVER_FILES.ca}`,
    'ExecStartPost=/bin/sleep 0.2',
    '',
    '[Install]',
    'WantedBy=multi-user.target',
    '',
  ].join('\n');
}
