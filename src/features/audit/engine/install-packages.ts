/** Packages of `harden --install` on a host: apt's plan, installation, and removal by `remove`. */

import { PACKAGE_LIST } from '../../../core/domain/dockerd/paths.ts';
import { shellQuote, sudoCommand } from '../../../core/domain/quote.ts';
import { listWords } from '../../../core/domain/words.ts';
import { parseResultOf } from '../../../core/host/protocol.ts';
import type { HostSession } from '../../../core/runtime.ts';
import { DockerTlsError, printable, printableLines } from '../../../errors/errors.ts';
import { type PackagesPlan, parsePackagesPlan } from '../domain/packages.ts';
import { PACKAGE_RESULTS } from '../host/audit-protocol.ts';
import { INSTALL_PACKAGES_SCRIPT, LOOK_PACKAGES_SCRIPT, PURGE_PACKAGES_SCRIPT } from '../host/audit-scripts.ts';

/** For slow mirrors and packages with a slow setup. */
const INSTALL_TIMEOUT_MS = 1_200_000;

/** Queries the host's apt, without changes. Errors: those of the session, E_PACKAGES. */
export async function lookAtPackages(
  session: HostSession,
  names: readonly string[],
  signal: AbortSignal,
): Promise<PackagesPlan> {
  const { stdout } = await session.run({
    phase: 'packages',
    script: [`NAMES=${shellQuote(names.join(' '))}`, LOOK_PACKAGES_SCRIPT].join('\n'),
    asRoot: true,
    timeoutMs: 120_000,
    signal,
  });
  return parsePackagesPlan(stdout.toString('utf8'), names, session);
}

/** Installs the packages of `plan`, and returns warnings. Errors: those of the session, E_PACKAGES. */
export async function installPackages(
  session: HostSession,
  { install, present }: PackagesPlan,
  names: readonly string[],
): Promise<readonly string[]> {
  const wanted = names.filter((name) => !present.includes(name));
  const { stdout } = await session.run({
    phase: 'packages',
    script: [
      `NAMES=${shellQuote(wanted.join(' '))}`,
      `NEW=${shellQuote(install.map(({ name }) => name).join(' '))}`,
      `LIST=${shellQuote(PACKAGE_LIST)}`,
      INSTALL_PACKAGES_SCRIPT,
    ].join('\n'),
    asRoot: true,
    timeoutMs: INSTALL_TIMEOUT_MS,
  });
  const last = parseResultOf(PACKAGE_RESULTS, stdout.toString('utf8'));
  if (last?.kind === 'installed')
    return last.daemon === '' ? [] : ['packages: dockerd was started again while they were installed'];
  const { host, login } = session;
  throw new DockerTlsError(
    'E_PACKAGES',
    `apt did not install ${listWords(wanted, 12)}; what it did install, remove takes away`,
    {
      where: host,
      hints: [sudoCommand(login, 'apt-get', '--no-install-recommends', 'install', ...wanted)],
      details: printableLines(last?.kind === 'uninstalled' ? last.why : '', 15),
    },
  );
}

/** After `remove`: purges the packages, and reports purged and remaining ones. Reports failures too; `remove` succeeds anyway. */
export async function purgePackages(session: HostSession): Promise<readonly string[]> {
  const last = await session
    .run({
      phase: 'packages',
      script: [`LIST=${shellQuote(PACKAGE_LIST)}`, PURGE_PACKAGES_SCRIPT].join('\n'),
      asRoot: true,
      timeoutMs: INSTALL_TIMEOUT_MS,
    })
    .then(
      ({ stdout }) => parseResultOf(PACKAGE_RESULTS, stdout.toString('utf8')),
      () => undefined,
    );
  if (last?.kind !== 'purged')
    return [
      `packages: the host did not say whether they were purged; they are in ${PACKAGE_LIST}, if it is still there`,
    ];
  const words = (text: string) => text.split(' ').filter((word) => word !== '');
  const stays = words(last.stays);
  const gone = words(last.names).filter((name) => !stays.includes(name));
  const why = last.why.trim().replaceAll('\n', '; ');
  return [
    ...(gone.length > 0 ? [`packages purged: ${printable(gone.join(', '), 500)}`] : []),
    ...(stays.length > 0 ? [`packages that stay: ${printable(`${stays.join(', ')}: ${why}`, 800)}`] : []),
  ];
}
