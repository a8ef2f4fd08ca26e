/** Installation of HAProxy on a host by its own package manager, and its removal. */

import { installCommand, removeCommand } from '../../../core/domain/dockerd/install-hints.ts';
import { LISTENER_PACKAGE_LIST } from '../../../core/domain/dockerd/paths.ts';
import type { HostFacts } from '../../../core/domain/plan/facts.ts';
import { listenerUnit } from '../../../core/domain/plan/listener.ts';
import { rootCommand, shellAssignments } from '../../../core/domain/quote.ts';
import { listWords } from '../../../core/domain/words.ts';
import { parseResultOf } from '../../../core/host/protocol.ts';
import type { HostSession } from '../../../core/runtime.ts';
import { DockerTlsError, printable, printableLines } from '../../../errors/errors.ts';
import { haproxyVersion, isOlder, tooOld } from '../domain/haproxy-version.ts';
import { INSTALL_SCRIPT, PACKAGE_CONFIG, PACKAGE_RESULTS, PURGE_SCRIPT } from '../host/scripts.ts';

/** For slow mirrors. */
const TIMEOUT_MS = 1_200_000;

type InstalledOn = Pick<HostFacts, 'distribution' | 'places'>;

/**
 * `packages`: those of the plan. Fails with E_HAPROXY_MISSING, E_HAPROXY_OLD (exit 4); the error names packages that could not be taken away
 * again.
 */
export async function installHaproxy(
  session: HostSession,
  facts: InstalledOn,
  packages: readonly string[],
): Promise<void> {
  const { host, login } = session;
  const { stdout } = await session.run({
    phase: 'packages',
    script: `${shellAssignments({
      LIST: LISTENER_PACKAGE_LIST,
      NEW: packages.join('\n'),
      UNIT: listenerUnit(facts.places),
      CONFIG: PACKAGE_CONFIG,
    })}\n${INSTALL_SCRIPT}`,
    asRoot: true,
    timeoutMs: TIMEOUT_MS,
  });
  const last = parseResultOf(PACKAGE_RESULTS, stdout.toString('utf8'));
  if (last?.kind === 'installed') {
    const version = haproxyVersion(last.version);
    if (!isOlder(version)) return;
    const notes = await purgeHaproxy(session, facts);
    throw tooOld(version, { where: host, login, distribution: facts.distribution }).adding(notes);
  }
  const left = last?.kind === 'uninstalled' ? namesOf(last.left) : packages;
  const command = installCommand(facts.distribution, ['haproxy'], true);
  throw new DockerTlsError(
    'E_HAPROXY_MISSING',
    left.length === 0
      ? 'HAProxy could not be installed; what had been installed of it was taken away again, and nothing else was changed'
      : `HAProxy could not be installed, and packages of it may still be there: ${listWords(left, 20)}`,
    {
      where: host,
      hints: [
        ...(left.length === 0 ? [] : removeHints(session, facts, left)),
        command === undefined ? 'run the same command again' : rootCommand(login, ...command),
      ],
      details: printableLines(last?.kind === 'uninstalled' ? last.why : '', 15),
    },
  );
}

/** Takes away what `installHaproxy` has installed, if the host does not use it. Returns notes for the user, and never fails. */
export async function purgeHaproxy(session: HostSession, facts: InstalledOn): Promise<string[]> {
  const last = await session
    .run({
      phase: 'packages',
      script: `${shellAssignments({ LIST: LISTENER_PACKAGE_LIST, UNIT: listenerUnit(facts.places) })}\n${PURGE_SCRIPT}`,
      asRoot: true,
      timeoutMs: TIMEOUT_MS,
    })
    .then(
      ({ stdout }) => parseResultOf(PACKAGE_RESULTS, stdout.toString('utf8')),
      () => undefined,
    );
  if (last?.kind === 'kept') return [];
  if (last?.kind === 'used')
    return [`HAProxy, which docker-tls had installed, stays: ${printable(last.why, 200)}. It is yours now`];
  if (last?.kind !== 'purged')
    return [`HAProxy may still be installed: its packages are in ${LISTENER_PACKAGE_LIST}, if that is still there`];
  const [stays, failed] = [namesOf(last.stays), namesOf(last.failed)];
  if (stays.length + failed.length === 0) return ['HAProxy, which docker-tls had installed, was removed'];
  return [
    ...(stays.length === 0
      ? []
      : [`packages that stay, since others need them by now: ${printable(listWords(stays, 20), 500)}`]),
    ...(failed.length === 0
      ? []
      : [
          `packages that could not be removed: ${printable(listWords(failed, 20), 500)}`,
          ...removeHints(session, facts, failed),
        ]),
  ];
}

function namesOf(text: string): string[] {
  return text.split('\n').filter((name) => /^[A-Za-z0-9][\w.+:-]*$/.test(name));
}

function removeHints({ login }: HostSession, { distribution }: InstalledOn, names: readonly string[]): string[] {
  return distribution === undefined
    ? []
    : [
        `to remove them: ${rootCommand(login, ...removeCommand(distribution.manager, names))}`,
        `and then their list: ${rootCommand(login, 'rm', LISTENER_PACKAGE_LIST)}`,
      ];
}
