/**
 * The script by which a user's own dockerd gets a port that their systemd holds. RootlessKit uses the first descriptors itself, and does not
 * hand on what systemd says of them: so the sockets wait under other numbers, and get their own back where dockerd starts. They belong to
 * the host's network, so the daemon sees who connects, and nothing is forwarded.
 */

/** The first descriptor that systemd hands over (sd_listen_fds(3)); and the first of those that RootlessKit leaves alone, of which a shell has these. */
const FIRST = 3;
const ASIDE = 7;
/** More sockets than this cannot be handed on. */
export const MOST_SOCKETS = 10 - ASIDE;

/** It starts dockerd-rootless.sh, and is started by that again in place of dockerd (its variable DOCKERD). */
export function renderListenScript(sockets: number): string {
  const numbers = Array.from({ length: sockets }, (_, index) => index);
  const aside = numbers.map((index) => `${ASIDE + index}<&${FIRST + index} ${FIRST + index}<&-`).join(' ');
  const back = numbers.map((index) => `${FIRST + index}<&${ASIDE + index} ${ASIDE + index}<&-`).join(' ');
  return [
    '#!/bin/sh',
    '# Written by docker-tls. Hands the port that systemd holds to the dockerd of a user. `docker-tls remove HOST` takes it away again.',
    'case $1 in',
    '  */dockerd-rootless.sh)',
    `    exec ${aside}`,
    `    DOCKER_TLS_DOCKERD=\${DOCKERD:-dockerd} DOCKERD=$0 exec "$@"`,
    '    ;;',
    'esac',
    `exec ${back}`,
    `LISTEN_FDS=${sockets} LISTEN_PID=$$ exec "$DOCKER_TLS_DOCKERD" "$@"`,
    '',
  ].join('\n');
}
