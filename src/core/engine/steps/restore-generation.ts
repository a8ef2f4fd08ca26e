/** Plan of a requested rollback: to an earlier generation, or to the state before the first setup. */

import type { ErrorCode } from '../../../errors/catalogue.ts';
import { DockerTlsError, printable } from '../../../errors/errors.ts';
import type { StoredClient, StoreState } from '../../adapters/store/records.ts';
import { LISTENER_CLIENTS } from '../../domain/dockerd/paths.ts';
import { type HostFacts, installedCredentials } from '../../domain/plan/facts.ts';
import { leftPackages } from '../../domain/plan/installed-packages.ts';
import { listThen } from '../../domain/plan/listener.ts';
import { plainTcpProblem } from '../../domain/plan/plain-tcp.ts';
import type { HostPlan } from '../../domain/plan/plan-host.ts';
import { planRestore } from '../../domain/plan/plan-restore.ts';
import type { HostSpec } from '../../domain/settings.ts';
import type { Target } from '../../domain/trust/changes.ts';
import { otherCas, ourFingerprints } from '../../domain/trust/other-cas.ts';
import { type AccessChange, compareTrust, trustFor } from '../../domain/trust/trust.ts';
import { viewOf } from '../../domain/trust/view.ts';
import { listWords } from '../../domain/words.ts';
import type { OpenedHost, PlannedHost, RestoredCredentials } from '../intent.ts';
import { problemsOf } from './check-host.ts';

type RestoreContext = Extract<Target, { kind: 'generation' }> & {
  readonly latest: StoreState;
  readonly now: Date;
  /** A person sees the plan before it is carried out, or the plan is only shown. */
  readonly shown: boolean;
};

/** Fails with E_NOT_SET_UP, E_NO_GENERATION (exit 2). */
export function planRestored(opened: OpenedHost, spec: HostSpec, context: RestoreContext): PlannedHost {
  const { facts } = opened;
  const { to } = context;
  if (facts.state === undefined) throw notSetUp(spec.name, opened);
  if (to === 'none') {
    const plan = planRestore(facts, 'none', spec);
    const found = planned(opened, plan, spec, context, undefined);
    return context.allowPlainTcp ? found : { ...found, problems: [...found.problems, ...plainTcpProblem(plan)] };
  }
  const chosen = resolveGeneration(spec.name, facts, to);
  const restored = credentialsOf(spec.name, facts, chosen);
  // With the settings requested when the generation was made.
  const kept = facts.state.generations.find(({ number }) => number === chosen)?.settings;
  const then: HostSpec = { ...spec, listener: undefined, roles: undefined, sockets: undefined, ...kept };
  const plan = planRestore(facts, chosen, then);
  const access = accessBy(restored, facts, context);
  const found = planned(opened, plan, then, context, restored);
  return {
    ...found,
    plan: { ...plan, warnings: [...rolledBackWarnings(facts, chosen), ...plan.warnings, ...accessWarnings(access)] },
    problems: [
      ...found.problems,
      ...(to === 'previous' && !context.shown ? rolledBackProblem(spec.name, facts, chosen) : []),
      ...(context.allowRevoked ? [] : revokedProblem(spec.name, chosen, access, facts, context)),
      ...(context.allowRevoked ? [] : rolesProblem(spec.name, chosen, facts)),
      ...roleRefusal(then, context),
    ],
  };
}

/**
 * Problems that do not prevent a restore. Most concern new files made from the daemon's command line, or new clients; a restore brings old
 * files back unchanged. A unit that keeps dockerd from the port does not justify keeping our files either.
 */
const NO_OBSTACLE: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'E_FIREWALL',
  'E_CLOCK',
  'E_UNIT_COMMAND',
  'E_UNIT_SETTING',
  'E_UNIT_VARIABLE',
]);

function planned(
  opened: OpenedHost,
  plan: HostPlan,
  spec: HostSpec,
  { latest, now }: RestoreContext,
  restored: RestoredCredentials | undefined,
): PlannedHost {
  const { session, facts } = opened;
  const problems = problemsOf(opened, spec, now, plan).filter(
    ({ code }) =>
      !NO_OBSTACLE.has(code) &&
      // If Docker was removed first, only our files remain.
      (code !== 'E_NO_DOCKER' || plan.daemon.action !== 'stop'),
  );
  const address = spec.address ?? session.dialled;
  const credentials = restored && { restored };
  const others = otherCas(restored?.ca ?? '', ourFingerprints(latest), now);
  const unnamed = { accepts: [], otherCas: others };
  return { spec, address, session, opened, facts, latest, plan, problems, credentials, ...unnamed };
}

function notSetUp(host: string, { facts, session }: OpenedHost): DockerTlsError {
  const lost = facts.files.get(facts.places.current)?.kind === 'link';
  return new DockerTlsError(
    'E_NOT_SET_UP',
    lost
      ? `the host's own records (${facts.places.state}) are gone, but files of docker-tls remain`
      : 'docker-tls has not changed this host (or was removed from it already)',
    {
      where: host,
      hints: lost
        ? [`write new ones: docker-tls setup ${host}`, 'then run the same command again']
        : [`docker-tls setup ${host}`, ...leftPackages(facts, session.login)],
    },
  );
}

function rolledBackWarnings(facts: HostFacts, chosen: number): string[] {
  if (!isRolledBack(facts)) return [];
  const { generation } = facts.state ?? {};
  return [`generation ${generation} was itself made by a rollback: this brings generation ${chosen} back`];
}

function isRolledBack({ state }: HostFacts): boolean {
  return state?.generations.find(({ number }) => number === state.generation)?.reason === 'rollback';
}

/**
 * A rollback of a rollback brings back what was rolled back. If no person sees that in the plan, the generation must be requested by
 * number.
 */
function rolledBackProblem(host: string, facts: HostFacts, chosen: number): DockerTlsError[] {
  if (!isRolledBack(facts)) return [];
  const current = facts.state?.generation;
  return [
    new DockerTlsError(
      'E_ROLLED_BACK',
      `generation ${current} is the result of a rollback; the generation before is the one that was rolled back`,
      {
        where: host,
        hints: [
          `to see the changes: docker-tls rollback ${host} --dry-run`,
          `bring it back: docker-tls rollback ${host} --to ${chosen} --yes`,
        ],
      },
    ),
  ];
}

/** Number of a generation's credentials directory; undefined if it is not on the host. */
function directoryOf(facts: HostFacts, generation: number): number | undefined {
  const to = facts.generations.get(generation)?.get(facts.places.current)?.to;
  return to !== undefined && /^\d+$/.test(to) ? Number(to) : undefined;
}

function credentialsOf(host: string, facts: HostFacts, generation: number): RestoredCredentials {
  const directory = directoryOf(facts, generation);
  const credentials = directory === undefined ? undefined : installedCredentials(facts, directory);
  if (credentials !== undefined) return { ...credentials, accepts: listThen(facts, generation)?.clients };
  throw new DockerTlsError('E_NO_GENERATION', `the credentials of generation ${generation} are no longer on the host`, {
    where: host,
    hints: [
      `new ones: docker-tls setup ${host}`,
      `or to what it was before the first setup: docker-tls remove ${host}`,
    ],
  });
}

/** Access differences between the active trust file and list of clients and those of a generation, for the clients of this store. */
function accessBy(then: RestoredCredentials, facts: HostFacts, { latest: state, now }: RestoreContext): AccessChange {
  return compareTrust(
    { ca: installedCredentials(facts)?.ca ?? '', accepts: listThen(facts)?.clients },
    then,
    ownClients(state.clients.values()).map(({ record, cert }) => ({ ...record, cert })),
    [state.ca, ...state.oldCas, ...state.issuers.values()].flatMap((ca) => ca?.cert ?? []),
    now,
  );
}

/** The clients of this store's hosts, without imported clients that another store issued. */
export function ownClients(clients: Iterable<StoredClient>): StoredClient[] {
  return [...clients].filter(({ record }) => record.reaches === undefined);
}

function accessWarnings({ again, noLonger, revoked, untrusted }: AccessChange): string[] {
  return [
    ...revoked.map((name) => `${name}, which was revoked, is accepted by that generation`),
    ...again.map((name) => `${name} is accepted again`),
    ...noLonger.map((name) => `${name} is no longer accepted`),
    ...untrusted.map(
      (name) =>
        `the CA ${name} is trusted again, which is not of this store: any client with a certificate of it is accepted`,
    ),
  ];
}

/** A rollback must not silently give a client another role again, nor accept clients by lines that cannot be judged. */
function rolesProblem(host: string, generation: number, facts: HostFacts): DockerTlsError[] {
  const path = `${facts.places.tls}/${LISTENER_CLIENTS}`;
  const now = facts.files.get(path);
  const then = facts.generations.get(generation)?.get(path);
  const { unreadable = [] } = listThen(facts, generation) ?? {};
  const lines = now?.kind === 'file' ? now.content.split('\n') : undefined;
  const before = then?.kind === 'file' ? (then.content ?? '').split('\n') : [];
  const others = lines === undefined ? [] : before.filter((line) => !lines.includes(line));
  const words = (found: readonly string[]) => listWords([...new Set(found.map((line) => printable(line)))]);
  if (others.length + unreadable.length === 0) return [];
  return [
    new DockerTlsError(
      'E_ACCEPTS_REVOKED',
      unreadable.length > 0
        ? `docker-tls cannot tell which clients generation ${generation} accepts, by lines that it did not write: ${words(unreadable)}`
        : `generation ${generation} gives clients what they do not have now: ${words(others.map((line) => line.split(' ')[1] ?? line))}`,
      {
        where: host,
        hints: [
          `to see the changes: docker-tls rollback ${host} --to ${generation} --dry-run`,
          `if they are to have it: docker-tls rollback ${host} --to ${generation} --allow-revoked`,
        ],
      },
    ),
  ];
}

/** A generation in which dockerd itself accepted clients cannot limit those that have a role by now. */
function roleRefusal(then: HostSpec, { latest, now }: RestoreContext): DockerTlsError[] {
  if ([...latest.clients.values()].every(({ record }) => record.role === undefined)) return [];
  try {
    trustFor(then, viewOf(latest, now));
  } catch (error) {
    if (error instanceof DockerTlsError && (error.code === 'E_ROLE_DOCKERD' || error.code === 'E_ROLE_UNKNOWN'))
      return [error];
  }
  return [];
}

/** A rollback must not silently accept a revoked client again, or clients of a dropped CA. */
function revokedProblem(
  host: string,
  generation: number,
  access: AccessChange,
  facts: HostFacts,
  context: RestoreContext,
): DockerTlsError[] {
  const { revoked, untrusted } = access;
  if (!acceptsMore(access)) return [];
  const better = [...facts.generations.keys()]
    .filter((number) => number !== facts.state?.generation)
    .sort((a, b) => b - a)
    .find((number) => {
      const directory = directoryOf(facts, number);
      const credentials = directory === undefined ? undefined : installedCredentials(facts, directory);
      const { clients: accepts, unreadable = [] } = listThen(facts, number) ?? {};
      if (unreadable.length > 0) return false;
      return credentials !== undefined && !acceptsMore(accessBy({ ...credentials, accepts }, facts, context));
    });
  return [
    new DockerTlsError(
      'E_ACCEPTS_REVOKED',
      revoked.length > 0
        ? `generation ${generation} is from before ${revoked.join(', ')} ${revoked.length === 1 ? 'was' : 'were'} revoked and would accept ${revoked.length === 1 ? 'it' : 'them'}`
        : `generation ${generation} trusts the CA ${untrusted.join(', ')}, which is not in this store, and would accept any client with a certificate of it`,
      {
        where: host,
        hints: [
          ...(better === undefined ? [] : [`a generation that does not: docker-tls rollback ${host} --to ${better}`]),
          `if it has to be: docker-tls rollback ${host} --to ${generation} --allow-revoked && docker-tls ${revoked.length > 0 ? `client revoke ${revoked[0]}` : `setup ${host}`}`,
        ],
      },
    ),
  ];
}

function acceptsMore({ revoked, untrusted }: AccessChange): boolean {
  return revoked.length + untrusted.length > 0;
}

function resolveGeneration(host: string, facts: HostFacts, target: number | 'previous'): number {
  const current = facts.state?.generation ?? 0;
  const kept = [...facts.generations.keys()].filter((number) => number !== current).sort((a, b) => b - a);
  const chosen =
    target === 'previous' ? kept.find((number) => number < current) : kept.find((number) => number === target);
  if (chosen !== undefined) return chosen;
  throw new DockerTlsError(
    'E_NO_GENERATION',
    target === 'previous'
      ? `there is no generation before ${current} on the host`
      : `generation ${target} is not kept on the host`,
    {
      where: host,
      hints: [
        kept.length > 0
          ? `docker-tls rollback ${host} --to ${kept[0]}`
          : `to what it was before the first setup: docker-tls remove ${host}`,
      ],
    },
  );
}
