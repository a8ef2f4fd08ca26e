/** Who can become root on a host: by the daemon, by accounts, by files that root runs, and out of containers. */

import { isOn } from '../../../../core/domain/dockerd/daemon-options.ts';
import { FULL_ROLE } from '../../../../core/domain/trust/view.ts';
import { printable } from '../../../../errors/errors.ts';
import type { AuditFacts, FileFact } from '../audit-facts.ts';
import { readCertificates } from '../certificates.ts';
import type { Outside } from '../check.ts';
import type { CheckResult } from '../evaluate.ts';
import { exposedAddresses, gotIn } from '../exposure.ts';
import { isLimitedSocket } from '../mounts.ts';

/** One way to become root. */
export type ReportedAccess = {
  readonly who: string;
  /** Text: `certificate`, `docker group`, `sudo`, …. */
  readonly how: string;
  readonly where: string;
  /** Nobody should have it. */
  readonly grave: boolean;
  /** Of a client: what its role allows; without one, everything. */
  readonly role?: string | undefined;
  /** Last day of a certificate. */
  readonly expires?: string | undefined;
};

function access(
  who: string,
  how: string,
  where: string,
  grave: boolean,
  more: Partial<ReportedAccess> = {},
): ReportedAccess {
  return { who: printable(who, 200), how: printable(how, 200), where: printable(where, 200), grave, ...more };
}

/** `2027-06-30`; undefined for an invalid date. */
export function dayOf(date: Date | undefined): string | undefined {
  return date === undefined || Number.isNaN(date.getTime()) ? undefined : date.toISOString().slice(0, 10);
}

export function gravestWays(ways: readonly ReportedAccess[]): readonly ReportedAccess[] {
  return [...ways].sort((a, b) => Number(b.grave) - Number(a.grave));
}

/** Users, clients and containers that can become root. The caller adds clients with certificates of its store. */
export function rootAccess(
  facts: AuditFacts,
  outside: Partial<Outside>,
  results: readonly CheckResult[],
): readonly ReportedAccess[] {
  return [
    ...byDaemon(facts, outside, results),
    ...byAccounts(facts),
    ...byFiles(facts, results),
    ...byContainers(facts, results),
  ];
}

function byDaemon(
  facts: AuditFacts,
  outside: Partial<Outside>,
  results: readonly CheckResult[],
): readonly ReportedAccess[] {
  const { apiSocket } = facts;
  // The own client should be accepted; any other accepted one shows that every client may be.
  const untrusted = outside.probes?.filter((probe) => probe.what !== 'own-certificate' && gotIn(probe)) ?? [];
  const open = new Set(untrusted.map(({ address, port }) => `${address}:${port}`));
  const served = exposedAddresses(facts).map(({ address }) => address);
  const unprotected = results.some(({ id, state }) => (id === '2.8' || id === 'tls.3') && state === 'finding');
  if (unprotected) for (const address of served) open.add(address);
  // Every user with write access to a socket controls the daemon, whatever its group is.
  const sockets = [...facts.files.values()].filter(
    ({ path, kind, mode }) =>
      kind === 'socket' &&
      (mode & 0o002) !== 0 &&
      // /var/run is /run.
      !(path.startsWith('/var/run/') && facts.files.has(path.slice(4))),
  );
  const { listener } = outside;
  const verifies = listener !== undefined || isOn(facts.daemon, 'tlsverify', false);
  const trusted = verifies ? readCertificates(facts.tls.ca?.pem ?? '') : [];
  const groups = [{ name: 'docker', members: facts.dockerGroup ?? [] }, facts.socketGroup ?? []]
    .flat()
    .filter(({ members }) => members.length > 0);
  return [
    ...[...open].map((where) => access('any client', 'no certificate asked for', where, true)),
    ...sockets.map(({ path, mode }) =>
      access('every local user', `socket with mode ${mode.toString(8).padStart(4, '0')}`, path, true),
    ),
    ...trusted.flatMap(({ subject, commonName, notAfter, fingerprint }) => {
      const other = outside.ourCas?.has(fingerprint) === false;
      const how = other ? 'certificate of another CA' : 'certificate';
      const expires = dayOf(notAfter);
      if (listener === undefined) return [access(`clients of ${subject}`, how, served.join(', '), other, { expires })];
      return listener.acceptedOf(commonName).map(({ client, role }) => {
        const who = client === undefined ? `clients of ${subject}` : `client ${client} of ${subject}`;
        const limit = role === FULL_ROLE ? undefined : printable(role, 40);
        return access(who, how, listener.at, other && limit === undefined, { role: limit, expires });
      });
    }),
    ...groups.map(({ name, members }) => access(members.join(', '), `${name} group`, apiSocket, false)),
  ];
}

function byAccounts({ accounts, sshd, sshdMatch }: AuditFacts): readonly ReportedAccess[] {
  if (accounts === undefined) return [];
  const inMatches = sshdMatch.flatMap(({ settings }) => settings.get('permitrootlogin') ?? []);
  const login = [sshd?.get('permitrootlogin')?.[0], ...inMatches].some((value) => value?.toLowerCase() !== 'no');
  return [
    ...accounts.rootTwins.map((name) => access(`user ${name}`, 'user ID 0', '/etc/passwd', true)),
    ...(accounts.rootPassword === 'empty'
      ? [access('every local user', 'empty password of root', '/etc/passwd and /etc/shadow', true)]
      : []),
    ...accounts.sudo.flatMap(({ members, who, commands, password, file }) =>
      members.length === 0
        ? []
        : [
            access(
              `${members.join(', ')}${who.startsWith('%') ? ` (group ${who.slice(1)})` : ''}`,
              `sudo${password ? '' : ' without a password'}: ${commands}`,
              file,
              false,
            ),
          ],
    ),
    ...accounts.unclearSudo.map(({ file, line }) =>
      access('cannot tell', `sudo, by a line that the audit does not understand: ${line}`, file, false),
    ),
    ...(login ? accounts.rootKeys : []).map((key) =>
      access(`key ${key}`, 'login as root by SSH', sshd?.get('authorizedkeysfile')?.[0] ?? '', false),
    ),
    ...(login ? (sshd?.get('authorizedkeyscommand') ?? []) : [])
      .filter((command) => command !== 'none')
      .map((command) => access('cannot tell', `login as root by SSH with keys that ${command} prints`, 'sshd', false)),
  ];
}

/** Checks whose findings name files that root runs or reads. */
const INPUTS = /^(?:3\.(?:[1-6]|1[7-9]|2[0-2])|file\.[125678])$/;

function byFiles({ files }: AuditFacts, results: readonly CheckResult[]): readonly ReportedAccess[] {
  const found = results.filter(({ id, state }) => INPUTS.test(id) && state === 'finding');
  const paths = new Set(found.flatMap(({ evidence }) => evidence.map(({ place }) => place)));
  return [...paths].flatMap((path) => {
    const file = files.get(path);
    const who = file === undefined ? undefined : writerOf(file);
    return who === undefined ? [] : [access(who, 'can change what root runs or reads', path, true)];
  });
}

/** Who besides root can write to a file. */
function writerOf({ mode, uid, user, gid, group }: FileFact): string | undefined {
  if ((mode & 0o002) !== 0) return 'every local user';
  if ((mode & 0o020) !== 0 && gid !== 0) return `the group ${group}`;
  return uid === 0 ? undefined : `user ${user}`;
}

/** Checks of containers whose findings lead out of them. */
const OUT: Readonly<Record<string, boolean>> = {
  '5.32': true,
  '5.5': true,
  '5.6': true,
  '5.10': false,
  '5.16': false,
  '5.31': false,
};

function byContainers({ engine, apiSocket }: AuditFacts, results: readonly CheckResult[]): readonly ReportedAccess[] {
  const limited = (engine?.containers ?? []).flatMap(({ name, mounts }) =>
    mounts
      .filter((mount) => isLimitedSocket(mount, apiSocket))
      .map(({ source }) => access(`container ${name}`, 'socket with a role', source, false)),
  );
  const out = Object.entries(OUT).flatMap(([id, grave]) =>
    results
      .filter((result) => result.id === id && result.state === 'finding')
      .flatMap(({ evidence }) => evidence.map(({ place, text }) => access(place, text, place, grave))),
  );
  return [...out, ...limited];
}
