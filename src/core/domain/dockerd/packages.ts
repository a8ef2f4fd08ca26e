/** The package managers of distributions: which one a host has, what packages are called there, and the command that installs them. */

import { type Login, rootCommand } from '../quote.ts';

type PackageManager = 'apt' | 'dnf' | 'zypper' | 'apk' | 'pacman';

/** `docker`: what the distribution's own package of the daemon is called; undefined where it has none. */
export type Distribution = { readonly manager: PackageManager; readonly docker: string | undefined };

/** Also where what is installed has lost a file, as far as the package manager can do that with one command. */
const INSTALL: Readonly<Record<PackageManager, readonly string[]>> = {
  apt: ['apt-get', 'install', '-y', '--reinstall'],
  dnf: ['dnf', 'install', '-y'],
  zypper: ['zypper', 'install', '-y', '-f'],
  apk: ['apk', 'add'],
  pacman: ['pacman', '-S', '--noconfirm'],
};

const UPGRADE: Readonly<Record<PackageManager, readonly string[]>> = {
  apt: ['apt-get', 'install', '--only-upgrade'],
  dnf: ['dnf', 'upgrade'],
  zypper: ['zypper', 'update'],
  apk: ['apk', 'upgrade'],
  pacman: ['pacman', '-Syu'],
};

/** By ID and ID_LIKE of os-release; the first that fits. RHEL's `docker` is Podman under that name. */
const DISTRIBUTIONS: readonly (readonly [RegExp, Distribution])[] = [
  [/debian|ubuntu/, { manager: 'apt', docker: 'docker.io' }],
  [/amzn/, { manager: 'dnf', docker: 'docker' }],
  [/rhel|centos/, { manager: 'dnf', docker: undefined }],
  [/fedora/, { manager: 'dnf', docker: 'moby-engine' }],
  [/suse/, { manager: 'zypper', docker: 'docker' }],
  [/alpine/, { manager: 'apk', docker: 'docker' }],
  [/arch/, { manager: 'pacman', docker: 'docker' }],
];

/** Packages by Debian's name, where another distribution has another one. */
const NAMES: Readonly<Record<string, Partial<Record<PackageManager, string>>>> = {
  'openssh-client': { dnf: 'openssh-clients', zypper: 'openssh-clients', pacman: 'openssh' },
};

/** undefined: none of those that are known. */
export function distributionOf(osRelease: string): Distribution | undefined {
  const ids = [...osRelease.matchAll(/^ID(?:_LIKE)?="?([a-z0-9 ._-]+)/gm)].map(([, id = '']) => id).join(' ');
  return DISTRIBUTIONS.find(([pattern]) => pattern.test(ids))?.[1];
}

/** What it takes to repair a package that is there. */
const REPAIR = ['--reinstall', '-f'];

/**
 * The words of a command, to be run as root, that installs packages (by Debian's names); undefined for a distribution that is not known.
 * `absent`: none of them is there.
 */
export function installCommand(
  distribution: Distribution | undefined,
  packages: readonly string[],
  absent = false,
): string[] | undefined {
  if (distribution === undefined) return undefined;
  const { manager } = distribution;
  const words = INSTALL[manager].filter((word) => !absent || !REPAIR.includes(word));
  return [...words, ...packages.map((name) => NAMES[name]?.[manager] ?? name)];
}

/** The words of a command, to be run as root, that upgrades packages; called by the names that the host has for them. */
export function upgradeCommand({ manager }: Distribution, packages: readonly string[]): string[] {
  return [...UPGRADE[manager], ...packages];
}

/** A hint that has packages installed on this computer; `osRelease`: its own, empty where it has none. */
export function installHereHint(osRelease: string, packages: readonly string[]): string {
  const command = installCommand(distributionOf(osRelease), packages);
  return command === undefined ? `install ${packages.join(' ')} on this computer` : command.join(' ');
}

/** A hint that has packages installed on a host. */
export function installHint(login: Login, distribution: Distribution | undefined, packages: readonly string[]): string {
  const command = installCommand(distribution, packages);
  return command === undefined
    ? `install ${packages.join(' ')} on the host with its own package manager`
    : rootCommand(login, ...command);
}

/** Hints that have Docker itself installed on a host. */
export function installDockerHints(login: Login, distribution: Distribution | undefined): string[] {
  const own = distribution?.docker;
  return [
    ...(own === undefined ? [] : [installHint(login, distribution, [own])]),
    `${own === undefined ? 'install it' : 'or install it from Docker'}: https://docs.docker.com/engine/install/`,
  ];
}
