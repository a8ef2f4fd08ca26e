/** Programs that the host scripts need, and their packages. */

/** Programs by package; package names are the same on all distributions. The scripts do without any other program. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  coreutils: `base64 cat chmod chown cp cut date dd df head id ln ls mkdir mv od readlink rm rmdir sha256sum sleep
    sort stat sync tail timeout tr uname wc`.split(/\s+/),
  diffutils: ['cmp'],
  findutils: ['find'],
  grep: ['grep'],
  sed: ['sed'],
  'util-linux': ['flock', 'setsid'],
  systemd: ['systemctl', 'systemd-run'],
  sudo: ['sudo'],
};

/** Programs that facts.sh looks for. */
export const NEEDED_PROGRAMS: readonly string[] = Object.values(PACKAGES)
  .flat()
  .filter((name) => name !== 'sudo');

/** Parses facts.sh's output for missing programs: their names, and the text of os-release. */
export function parseMissing(stdout: string): { programs: string[]; osRelease: string } | undefined {
  const [, names = '', osRelease = ''] = /(?:^|\n)docker-tls-missing((?: [a-z0-9-]+)+)\n([\s\S]*)/.exec(stdout) ?? [];
  return names === '' ? undefined : { programs: names.trim().split(' '), osRelease };
}

export function packagesOf(programs: readonly string[]): string[] {
  return Object.keys(PACKAGES).filter((name) => PACKAGES[name]?.some((program) => programs.includes(program)));
}
