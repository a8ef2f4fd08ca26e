/**
 * Environment of all our programs on a host, `local` included. It contains nothing from the login (~/.bashrc, /etc/environment, sshd's
 * SetEnv, sudo's pam_env, systemd's manager), since such variables change the behaviour of shells and tools.
 */

/** The distribution's programs come first, then those of a local installation and of NixOS. */
const VARIABLES = {
  PATH: '/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin:/run/wrappers/bin:/run/current-system/sw/bin',
  HOME: '/',
  LC_ALL: 'C',
} as const;

/** Words that start /bin/sh with only these variables and `more`. */
export function cleanShell(more: Readonly<Record<string, string>> = {}): string[] {
  const variables = Object.entries({ ...VARIABLES, ...more }).map(([name, value]) => `${name}=${value}`);
  return ['/usr/bin/env', '-i', ...variables, '/bin/sh'];
}
