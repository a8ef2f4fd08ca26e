/** Owns the programs that the scripts on a host need, and the command that installs them there. */

type Family = 'apt' | 'dnf' | 'zypper' | 'apk' | 'pacman';

/** Programs by package, which has the same name everywhere. Whatever else the scripts call they do without. */
const PACKAGES: readonly { readonly programs: readonly string[]; readonly name: string }[] = [
  {
    name: 'coreutils',
    programs: [
      ...[
        'base64',
        'cat',
        'chmod',
        'chown',
        'cp',
        'cut',
        'date',
        'dd',
        'df',
        'head',
        'id',
        'ln',
        'ls',
        'mkdir',
        'mv',
        'od',
      ],
      ...['readlink', 'rm', 'rmdir', 'sha256sum', 'sleep', 'sort', 'stat', 'tail', 'timeout', 'tr', 'uname', 'wc'],
    ],
  },
  { name: 'diffutils', programs: ['cmp'] },
  { name: 'findutils', programs: ['find'] },
  { name: 'grep', programs: ['grep'] },
  { name: 'sed', programs: ['sed'] },
  { name: 'util-linux', programs: ['flock'] },
  { name: 'systemd', programs: ['systemctl', 'systemd-run'] },
  { name: 'sudo', programs: ['sudo'] },
];

/** What facts.sh looks for. */
export const NEEDED_PROGRAMS: readonly string[] = PACKAGES.flatMap(({ programs }) => programs).filter(
  (name) => name !== 'sudo',
);

/** What facts.sh printed in place of facts: the missing programs, and the text of os-release. */
export function parseMissing(stdout: string): { programs: string[]; osRelease: string } | undefined {
  const [, names = '', osRelease = ''] = /(?:^|\n)docker-tls-missing((?: [a-z0-9-]+)+)\n([\s\S]*)/.exec(stdout) ?? [];
  return names === '' ? undefined : { programs: names.trim().split(' '), osRelease };
}

const INSTALL: Readonly<Record<Family, readonly string[]>> = {
  apt: ['apt-get', 'install', '-y', '--reinstall'],
  dnf: ['dnf', 'install', '-y'],
  zypper: ['zypper', 'install', '-y', '-f'],
  apk: ['apk', 'add'],
  pacman: ['pacman', '-S', '--noconfirm'],
};

const FAMILIES: readonly (readonly [RegExp, Family])[] = [
  [/debian|ubuntu/, 'apt'],
  [/fedora|rhel|centos|amzn/, 'dnf'],
  [/suse/, 'zypper'],
  [/alpine/, 'apk'],
  [/arch/, 'pacman'],
];

/** The words of a command, to be run as root, that installs what is missing; undefined for a distribution that is not known. */
export function installCommand(osRelease: string, programs: readonly string[]): string[] | undefined {
  const ids = [...osRelease.matchAll(/^ID(?:_LIKE)?="?([a-z0-9 ._-]+)/gm)].map(([, id = '']) => id).join(' ');
  const family = FAMILIES.find(([pattern]) => pattern.test(ids))?.[1];
  if (family === undefined) return undefined;
  const names = PACKAGES.filter((one) => one.programs.some((program) => programs.includes(program))).map(
    ({ name }) => name,
  );
  return [...INSTALL[family], ...names];
}
