/** Owns the programs that the scripts on a host need, and the packages that hold them. */

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
      ...[
        'readlink',
        'rm',
        'rmdir',
        'sha256sum',
        'sleep',
        'sort',
        'stat',
        'sync',
        'tail',
        'timeout',
        'tr',
        'uname',
        'wc',
      ],
    ],
  },
  { name: 'diffutils', programs: ['cmp'] },
  { name: 'findutils', programs: ['find'] },
  { name: 'grep', programs: ['grep'] },
  { name: 'sed', programs: ['sed'] },
  { name: 'util-linux', programs: ['flock', 'setsid'] },
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

export function packagesOf(programs: readonly string[]): string[] {
  return PACKAGES.filter((one) => one.programs.some((program) => programs.includes(program))).map(({ name }) => name);
}
