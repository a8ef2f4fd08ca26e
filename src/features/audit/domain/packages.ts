/** Packages offered by `harden --install`: purpose, effects, and the host's package data. */

import { PACKAGE_NAME } from '../../../core/domain/plan/installed-packages.ts';
import { type Login, shellQuote, sudoCommand } from '../../../core/domain/quote.ts';
import { listWords, plural } from '../../../core/domain/words.ts';
import { DockerTlsError, printable } from '../../../errors/errors.ts';

export type PackageOffer = {
  readonly name: string;
  readonly title: string;
  /** Effects on the host's users. */
  readonly risk: string;
};

/** Lynis gives points for each; none affects Docker, its network or logins. */
export const PACKAGES: readonly PackageOffer[] = Object.entries({
  acct: {
    title: 'process accounting: which user ran which program',
    risk: 'every program that ends is written to /var/log/account, those in containers among them',
  },
  aide: {
    title: 'a checker of file integrity, the program alone',
    risk: 'nothing is checked: it has no configuration and no timer; aide-common brings both',
  },
  'aide-common': {
    title: 'the configuration of aide, and its nightly check',
    risk: 'a mail to root each night; with a database (aideinit) it reads every file, and all images unless /etc/aide/aide.conf.d has the line !/var/lib/docker',
  },
  'apt-listchanges': {
    title: 'news of packages before apt upgrades them',
    risk: 'an upgrade in a terminal shows them first, and waits for a key',
  },
  auditd: {
    title: 'the log of the audit rules',
    risk: 'a service that starts at once; its log takes up to 40 MB',
  },
  debsums: {
    title: 'a checker of the files of packages',
    risk: 'no check runs until CRON_CHECK in /etc/default/debsums enables it',
  },
  'libpam-pwquality': {
    title: 'rules for new passwords',
    risk: 'a password that is set from now on is refused where it is weak',
  },
}).map(([name, offer]) => ({ name, ...offer }));

/** Packages that other hardening lists install, but `harden` does not. */
export const NOT_OFFERED: Readonly<Record<string, string>> = {
  'apt-listbugs': 'it stops apt in scripts',
  chkrootkit: 'it takes the processes of containers for hidden ones',
  clamav: 'it takes a gigabyte of memory',
  fail2ban: 'it bans an address after a few failed logins, this machine among them',
  'libpam-tmpdir': 'its own TMPDIR for each user breaks cron jobs and builds',
  needrestart: 'it restarts services after an upgrade, dockerd among them',
  rkhunter: 'it reports processes of containers as hidden, and installs binutils (Lynis deducts points for it)',
  'unattended-upgrades': 'it upgrades and restarts dockerd at any time',
  usbguard: 'it locks out the keyboard at the console',
};

/** A package to install, from the host's package index. */
export type FoundPackage = {
  readonly name: string;
  readonly version: string;
  /** Download size in bytes. */
  readonly download: number;
  /** Size on disk in bytes. */
  readonly disk: number;
};

export type PackagesPlan = {
  /** Requested packages that are already installed. */
  readonly present: readonly string[];
  /** In the host's order, with dependencies. */
  readonly install: readonly FoundPackage[];
};

/**
 * Parses the output of src/features/audit/host/packages/look.sh. Fails with E_PACKAGES if the host cannot install the packages without
 * changing others.
 */
export function parsePackagesPlan(
  stdout: string,
  requested: readonly string[],
  { host, login }: { readonly host: string; readonly login: Login },
): PackagesPlan {
  const lines = stdout.split('\n').map((line) => line.split('\t'));
  const of = (kind: string) => lines.filter(([first]) => first === kind).map(([, ...rest]) => rest);
  const refuse = (message: string, hints: readonly string[]): DockerTlsError =>
    new DockerTlsError('E_PACKAGES', `${message}; nothing was installed`, { where: host, hints });
  const [why] = of('no')[0] ?? [];
  if (why === 'apt')
    throw refuse('only apt can install packages, and this host has none', [`docker-tls harden ${shellQuote(host)}`]);
  const look = sudoCommand(login, 'apt-get', '-s', 'install', '--no-install-recommends', ...requested);
  if (why !== undefined || of('end').length === 0)
    throw refuse(`apt cannot install ${listWords(requested, 12)}: ${printable(why ?? 'no answer', 300)}`, [
      sudoCommand(login, 'apt-get', 'update'),
      look,
    ]);
  const others = [...of('upgrade'), ...of('remove')].map(([name = '']) => printable(name, 80));
  if (others.length > 0)
    throw refuse(`apt would also upgrade or remove ${listWords(others, 12)}; decide that yourself`, [look]);
  const install = of('install').map(([name = '', version = '', download = '', disk = '']) => ({
    name,
    version: printable(version, 80),
    download: Number(download) || 0,
    disk: (Number(disk) || 0) * 1024,
  }));
  const bad = install.find(({ name }) => !PACKAGE_NAME.test(name));
  if (bad !== undefined)
    throw refuse(`apt printed ${printable(bad.name, 80)} instead of the name of a package`, [look]);
  return { present: of('present').flatMap(([name = '']) => (requested.includes(name) ? [name] : [])), install };
}

/** Packages to install, with the risk of each requested one; one line each. */
export function packagesWords({ present, install }: PackagesPlan, requested: readonly string[]): readonly string[] {
  if (install.length === 0) return [`packages: ${listWords(present, 12)}: installed already`];
  const sum = (what: 'download' | 'disk') => megabytes(install.reduce((all, one) => all + one[what], 0));
  const lines = install.map(({ name, version, disk }) => {
    const offer = PACKAGES.find((one) => one.name === name);
    const why = offer === undefined ? 'needed by the others' : `${offer.title}; ${offer.risk}`;
    return `  ${name} ${version}, ${megabytes(disk)}: ${why}`;
  });
  const also = requested.filter((name) => present.includes(name));
  return [
    `${plural(install.length, 'package')}, ${sum('download')} to download, ${sum('disk')} on disk:`,
    ...lines,
    ...(also.length > 0 ? [`  ${listWords(also, 12)}: installed already`] : []),
  ];
}

function megabytes(bytes: number): string {
  return bytes < 100_000 ? `${Math.ceil(bytes / 1000)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}
