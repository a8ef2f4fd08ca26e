/**
 * The one environment that everything of ours on a host runs in, and `local` as well: nothing of the login's own gets there (~/.bashrc,
 * /etc/environment, sshd's SetEnv, the pam_env of sudo, systemd's manager), whose variables change what shells and tools do.
 */

/** The distribution's own programs come first, then those of a local installation and of NixOS. */
const VARIABLES = {
  PATH: '/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin:/run/wrappers/bin:/run/current-system/sw/bin',
  HOME: '/',
  LC_ALL: 'C',
} as const;

/** The words that start /bin/sh with these variables, and with nothing else but `more`. */
export function cleanShell(more: Readonly<Record<string, string>> = {}): string[] {
  const variables = Object.entries({ ...VARIABLES, ...more }).map(([name, value]) => `${name}=${value}`);
  return ['/usr/bin/env', '-i', ...variables, '/bin/sh'];
}
