/** Package managers of distributions: detection, package names, and install commands. */

import { type Login, rootCommand } from '../quote.ts';

type PackageManager = 'apt' | 'dnf' | 'zypper' | 'apk' | 'pacman';

/** `docker`: the distribution's package of the daemon; undefined if it lacks one. */
export type Distribution = { readonly manager: PackageManager; readonly docker: string | undefined };

/** `install` also restores lost files of an installed package, if the package manager can do so with one command. */
const COMMANDS: Readonly<Record<PackageManager, Readonly<Record<'install' | 'upgrade' | 'remove', string>>>> = {
  apt: { install: 'apt-get install -y --reinstall', upgrade: 'apt-get install --only-upgrade', remove: 'dpkg --purge' },
  dnf: { install: 'dnf install -y', upgrade: 'dnf upgrade', remove: 'dnf remove' },
  zypper: { install: 'zypper install -y -f', upgrade: 'zypper update', remove: 'zypper remove' },
  apk: { install: 'apk add', upgrade: 'apk upgrade', remove: 'apk del' },
  pacman: { install: 'pacman -S --noconfirm', upgrade: 'pacman -Syu', remove: 'pacman -R' },
};

/** Matched against ID and ID_LIKE of os-release; the first match counts. RHEL's `docker` package is Podman. */
const DISTRIBUTIONS: readonly (readonly [RegExp, Distribution])[] = [
  [/debian|ubuntu/, { manager: 'apt', docker: 'docker.io' }],
  [/amzn/, { manager: 'dnf', docker: 'docker' }],
  [/rhel|centos/, { manager: 'dnf', docker: undefined }],
  [/fedora/, { manager: 'dnf', docker: 'moby-engine' }],
  [/suse/, { manager: 'zypper', docker: 'docker' }],
  [/alpine/, { manager: 'apk', docker: 'docker' }],
  [/arch/, { manager: 'pacman', docker: 'docker' }],
];

/** Debian package name → names in other distributions, if different. */
const NAMES: Readonly<Record<string, Partial<Record<PackageManager, string>>>> = {
  'openssh-client': { dnf: 'openssh-clients', zypper: 'openssh-clients', pacman: 'openssh' },
};

/** undefined: an unknown distribution. */
export function distributionOf(osRelease: string): Distribution | undefined {
  const ids = [...osRelease.matchAll(/^ID(?:_LIKE)?="?([a-z0-9 ._-]+)/gm)].map(([, id = '']) => id).join(' ');
  return DISTRIBUTIONS.find(([pattern]) => pattern.test(ids))?.[1];
}

/** Options that repair an installed package. */
const REPAIR = ['--reinstall', '-f'];

/**
 * Words of a command, to run as root, that installs packages (by Debian's names); undefined for an unknown distribution.
 * `absent`: none of them is installed.
 */
export function installCommand(
  distribution: Distribution | undefined,
  packages: readonly string[],
  absent = false,
): string[] | undefined {
  if (distribution === undefined) return undefined;
  const { manager } = distribution;
  const words = COMMANDS[manager].install.split(' ').filter((word) => !absent || !REPAIR.includes(word));
  return [...words, ...packages.map((name) => NAMES[name]?.[manager] ?? name)];
}

/** Words of a command, to run as root, that upgrades packages (by the host's names). */
export function upgradeCommand({ manager }: Distribution, packages: readonly string[]): string[] {
  return [...COMMANDS[manager].upgrade.split(' '), ...packages];
}

/** Words of a command, to run as root, that removes packages (by the host's names). */
export function removeCommand(manager: PackageManager, packages: readonly string[]): string[] {
  return [...COMMANDS[manager].remove.split(' '), ...packages];
}

/** Hint to install packages on this computer; `osRelease`: its os-release, empty if missing. */
export function installHereHint(osRelease: string, packages: readonly string[]): string {
  const command = installCommand(distributionOf(osRelease), packages);
  return command === undefined ? `install ${packages.join(' ')} on this computer` : command.join(' ');
}

/** Hint to install packages on a host. */
export function installHint(login: Login, distribution: Distribution | undefined, packages: readonly string[]): string {
  const command = installCommand(distribution, packages);
  return command === undefined
    ? `install ${packages.join(' ')} on the host with its own package manager`
    : rootCommand(login, ...command);
}

/** Hints to install Docker on a host. */
export function installDockerHints(login: Login, distribution: Distribution | undefined): string[] {
  const own = distribution?.docker;
  return [
    ...(own === undefined ? [] : [installHint(login, distribution, [own])]),
    `${own === undefined ? 'install it' : 'or install it from Docker'}: https://docs.docker.com/engine/install/`,
  ];
}
