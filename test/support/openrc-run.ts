/** An OpenRC service script for dockerd, as in distributions with OpenRC: settings in /etc/conf.d/docker, started by supervise-daemon. */

import type { LabHost } from './lab.ts';

const SCRIPT = `#!/sbin/openrc-run
supervisor=supervise-daemon
command="\${DOCKERD_BINARY:-/usr/sbin/dockerd}"
command_args="\${DOCKER_OPTS}"
supervise_daemon_args="--respawn-delay 2 --respawn-max 5 --respawn-period 1800 --stdout /var/log/docker.log --stderr /var/log/docker.log"
retry="TERM/60/KILL/10"

depend() {
	use net
	after firewall
}
`;

/** Replaces Debian's script; `settings` is the text of /etc/conf.d/docker. */
export async function useOpenrcRun(host: LabHost, settings: string): Promise<void> {
  await host.must('rc-service docker stop; rm -f /etc/default/docker');
  await host.exec('cat >/etc/init.d/docker', { input: SCRIPT });
  await host.exec('cat >/etc/conf.d/docker', { input: settings });
  await host.must(
    'rc-service docker zap; rc-service docker start; until docker version >/dev/null 2>&1; do sleep 0.1; done',
  );
}
