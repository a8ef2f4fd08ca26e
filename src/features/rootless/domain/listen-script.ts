/**
 * Script that passes a port held by systemd to a rootless dockerd. RootlessKit uses the first descriptors itself, and drops systemd's
 * variables. The script moves the sockets to higher numbers, and moves them back when dockerd starts. The sockets belong to the host's
 * network, so the daemon sees client addresses, and no traffic is forwarded.
 */

/** First descriptor from systemd (sd_listen_fds(3)); first descriptor that RootlessKit leaves free and that a shell can name. */
const FIRST = 3;
const ASIDE = 7;
/** Maximum number of sockets. */
export const MOST_SOCKETS = 10 - ASIDE;

/** The script starts dockerd-rootless.sh. That starts the script again in place of dockerd (its variable DOCKERD). */
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
