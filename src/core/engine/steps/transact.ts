/** Transaction on one host: start, verify over new connections, record, commit; rollback from any point. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { ErrorCode } from '../../../errors/catalogue.ts';
import { DockerTlsError } from '../../../errors/errors.ts';
import { kindOf } from '../../domain/plan/host-kind.ts';
import type { HostState, StoreMark } from '../../domain/plan/host-state.ts';
import type { ProbeCheck } from '../../domain/plan/outcome.ts';
import { diskFullError } from '../../domain/plan/preflight.ts';
import { renderTransaction } from '../../domain/plan/transaction.ts';
import { sudoCommand } from '../../domain/quote.ts';
import { keptOf } from '../../domain/settings-stored.ts';
import type { HostSession } from '../../runtime.ts';
import { gather } from '../gather.ts';
import {
  containersStopped,
  type EndingResult,
  endTransaction,
  saysContainersStopped,
  startTransaction,
} from '../host-transaction.ts';
import type { ChangeOutcome, HostChange } from '../intent.ts';
import { requireVerified } from '../verify-host.ts';
import { sshOptions } from './open-host.ts';
import { notConfirmed, rollBackHost } from './roll-back.ts';

/** Errors with which the host itself reports the end of a change. */
const ENDED: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'E_HOST_LOCKED',
  'E_HOST_CHANGED',
  'E_STALE_CHANGE',
  'E_DISK_FULL',
  'E_DAEMON_CONFIG',
  'E_DAEMON_START',
  'E_CONTAINERS_STOPPED',
  'E_APPLY',
  'E_ROLLBACK',
]);

/** Time for sshd to come back, and interval of attempts. An sshd that depends on Docker (BindsTo=docker.service) stops with it. */
const SSHD_RETURNS_MS = 15_000;
const SSHD_RETRY_MS = 500;

/**
 * The new SSH connection for confirming a change. The files are in place before the daemon restarts, so if only TLS changes, the login need
 * not wait until the new daemon runs. The confirmation still comes afterwards, over this connection.
 */
class Confirmer {
  readonly #connect: () => Promise<HostSession>;
  #early: Promise<HostSession> | undefined;
  /** Opened sessions. */
  readonly #sessions: HostSession[] = [];
  #dropped = false;

  constructor(connect: () => Promise<HostSession>) {
    this.#connect = async () => {
      const session = await connect();
      if (this.#dropped) await session.close();
      else {
        this.#sessions.push(session);
        session.prepare?.();
      }
      return session;
    };
  }

  open(): void {
    this.#early ??= this.#connect();
    this.#early.catch(() => undefined);
  }

  /** A login that failed during the restart is retried after it. */
  opened(signal: AbortSignal): Promise<HostSession> {
    return this.#early?.catch(() => this.#onceListening(signal)) ?? this.#onceListening(signal);
  }

  async #onceListening(signal: AbortSignal): Promise<HostSession> {
    for (let left = SSHD_RETURNS_MS / SSHD_RETRY_MS; ; left -= 1) {
      try {
        return await this.#connect();
      } catch (error) {
        if (left === 0 || !(error instanceof DockerTlsError) || error.code !== 'E_SSH_REFUSED') throw error;
        await sleep(SSHD_RETRY_MS, undefined, { signal });
      }
    }
  }

  /** Also closes a session that is still connecting, without waiting for it. */
  async close(): Promise<void> {
    this.#dropped = true;
    for (const session of this.#sessions.splice(0)) await session.close();
  }
}

/**
 * Whether the change leaves logins unaffected: it includes nothing of sshd, users, the kernel or the daemon's networks, and its restart
 * applies no such edits by other programs.
 */
function changesTlsAlone({ plan, facts: { places, docker } }: HostChange): boolean {
  const ours = [`${places.tls}/`, `${places.dropIns}/`, places.socket, places.socketWants, places.closed];
  return (
    plan.purpose === 'apply' &&
    plan.reloads.length === 0 &&
    docker.unit.active === 'active' &&
    docker.edited?.length === 0 &&
    plan.files.every(({ path }) => ours.some((one) => path.startsWith(one)))
  );
}

/** A transaction under way. */
type Attempt = {
  readonly change: HostChange;
  readonly confirmer: Confirmer;
  /**
   * `starting`: it may not have begun. `switched`: the new files are in place. `confirming`: the host may have received the confirmation.
   * `ended`: the host itself reported how it ended, so nothing is left to roll back.
   */
  stage: 'starting' | 'switched' | 'confirming' | 'ended';
  /** Checks that began with the daemon's start. */
  early?: Promise<readonly ProbeCheck[]>;
  /** The host's records, as sent with the change. */
  state?: HostState;
};

/**
 * One transaction (docs/dev/how-it-works.md): start, verify over new connections, write the store, confirm over a new SSH connection. Every
 * failure runs the rollback stored on the host; the error says whether it ran.
 */
export async function transact(change: HostChange): Promise<ChangeOutcome> {
  const { runtime } = change.reach;
  const confirmer = new Confirmer(() => runtime.connect(sshOptions(change.spec, change.reach)));
  const attempt: Attempt = { change, confirmer, stage: 'starting' };
  try {
    runtime.signal.throwIfAborted();
    const warnings = await start(attempt);
    runtime.signal.throwIfAborted();
    const { checks, fresh } = await verifyNew(attempt);
    runtime.signal.throwIfAborted();
    const mark = await change.save();
    // The last moment in which Ctrl-C rolls everything back.
    runtime.signal.throwIfAborted();
    await confirmToHost(attempt, fresh, mark);
    return { checks, warnings };
  } catch (error) {
    throw attempt.stage === 'ended' ? error : await rollBackHost(change, error, attempt.stage);
  } finally {
    await confirmer.close();
  }
}

/** Runs the script of the change up to the daemon's restart. */
async function start(attempt: Attempt): Promise<readonly string[]> {
  const { change, confirmer } = attempt;
  const { id, plan, spec, session, reach, progress } = change;
  const { signal, operator, now } = reach.runtime;
  const transaction = renderTransaction(plan, change.facts, change.credentials, {
    id,
    who: operator,
    now: now(),
    confirmWithin: spec.confirmWithin,
    keep: spec.keep,
    reason: change.reason,
    settings: keptOf(spec),
    store: change.mark,
  });
  attempt.state = transaction.state;
  const tlsAlone = changesTlsAlone(change);
  // The host says when the new daemon starts. A login before that would slow down the old one's end.
  const held = plan.listening === 'systemd';
  try {
    const warnings = await startTransaction(session, transaction, {
      timeoutMs: (spec.confirmWithin + 60) * 1000,
      signal,
      onStep: (step) => {
        progress.phase(step);
        if (step === 'restart' && tlsAlone && !held) confirmer.open();
      },
      // Connections that wait at the port are answered as soon as the new daemon can, before systemd reports its start. If more than TLS
      // changes, the change is not finished at that point.
      onOpen: () => {
        if (!tlsAlone) return;
        confirmer.open();
        attempt.early ??= change.verify().catch(() => []);
      },
    });
    attempt.stage = 'switched';
    return warnings;
  } catch (error) {
    if (error instanceof DockerTlsError && ENDED.has(error.code)) attempt.stage = 'ended';
    throw error;
  }
}

/** Verifies the new state, while the connection for the confirmation opens. Both are needed. */
async function verifyNew(attempt: Attempt): Promise<{ checks: readonly ProbeCheck[]; fresh: HostSession }> {
  const { change, confirmer } = attempt;
  change.progress.phase('verify');
  // If one fails first, the other must still be watched.
  const [checks, fresh] = await Promise.all([checksOf(attempt), confirmer.opened(change.reach.runtime.signal)]);
  requireVerified(change.spec.name, checks, '', change.first);
  return { checks, fresh };
}

/** The results from the daemon's start if all passed; otherwise verifies now. */
async function checksOf({ change, early }: Attempt): Promise<readonly ProbeCheck[]> {
  if (early === undefined) return await change.verify();
  const checks = await early;
  return checks.length > 0 && checks.every(({ ok }) => ok) ? checks : await change.verify();
}

/**
 * Tells the host to keep the change, and which revision of the store has it. Fails with E_NOT_CONFIRMED, E_DISK_FULL, E_CONTAINERS_STOPPED.
 */
async function confirmToHost(attempt: Attempt, fresh: HostSession, mark: StoreMark | undefined): Promise<void> {
  const { change, state } = attempt;
  const { spec, facts } = change;
  change.progress.phase('confirm');
  attempt.stage = 'confirming';
  const record = mark === undefined || state === undefined ? undefined : { ...state, store: mark };
  const { ending, remark } = await commit(change, fresh, record);
  if (ending === 'committed') return;
  if (ending === 'nothing') {
    attempt.stage = 'ended';
    await change.unsave();
    throw notConfirmed(
      spec,
      `the host had already rolled back: the change was not confirmed within ${spec.confirmWithin} s`,
    );
  }
  if (ending === 'full') throw diskFullError(fresh, "the host's disk was too full to keep the change");
  if (saysContainersStopped(remark)) throw containersStopped(fresh, kindOf(facts), remark);
  throw new DockerTlsError(
    'E_NOT_CONFIRMED',
    `the host could not keep the change${remark === '' ? '' : `: ${remark}`}`,
    {
      where: spec.name,
      hints: [sudoCommand(fresh.login, ...kindOf(facts).commands.log), 'run the same command again'],
    },
  );
}

/**
 * Confirms the change; returns how it ended. Uses a session opened after the change: a host that no longer accepts logins must not keep it.
 */
async function commit(
  { id, plan, spec, facts, reach }: HostChange,
  fresh: HostSession,
  record: HostState | undefined,
): Promise<EndingResult> {
  const change = { id, kind: kindOf(facts) };
  try {
    return await endTransaction(fresh, change, 'commit', record);
  } catch (error) {
    // The connection broke meanwhile; another one reports the outcome.
    const session = await reach.runtime.connect(sshOptions(spec, reach)).catch(() => undefined);
    if (session === undefined) throw error;
    try {
      const end = await endTransaction(session, change, 'commit', record);
      if (end.ending !== 'nothing') return end;
      // No change in progress: it was either kept or rolled back. The host's records tell which.
      const { state } = (await gather(session, { now: reach.runtime.now })).facts;
      const kept = plan.generation === 'none' ? state === undefined : state?.generation === plan.generation;
      return { ...end, ending: kept ? 'committed' : 'nothing' };
    } finally {
      await session.close();
    }
  }
}
