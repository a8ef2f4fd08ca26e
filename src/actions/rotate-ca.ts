/** Owns `rotate ca`: accept old and new, issue from the new, drop the old. Each stage is a change of its own; any of them can be the first. */

import type { StoreState } from '../adapters/store/records.ts';
import { type HostFlags, recordedSpecs } from '../domain/fleet/specs.ts';
import { inspectCertificate, isFrom } from '../domain/pki/inspect.ts';
import type { RotationStage } from '../domain/plan/stages.ts';
import { accessOf } from '../domain/trust/access.ts';
import { caBreaksClients } from '../domain/trust/ca-refusals.ts';
import { type CredentialChange, preview } from '../domain/trust/changes.ts';
import { activeClients, renewed } from '../domain/trust/clients.ts';
import { type OutdatedCopy, outdatedCopies } from '../domain/trust/handed-out.ts';
import { describeRotation, nextSteps, stageOf } from '../domain/trust/rotation.ts';
import { breaksClients } from '../domain/trust/server.ts';
import { viewOf } from '../domain/trust/view.ts';
import { plural } from '../domain/words.ts';
import { change } from '../engine/change.ts';
import type { Changed, Intent, Run, Wanted } from '../engine/intent.ts';
import { refreshAll } from '../engine/steps/issue.ts';
import { DockerTlsError, DockerTlsErrors, usage } from '../errors/errors.ts';
import type { ActionContext } from './action-context.ts';
import { openStoredRun, type StoredOptions, type StoredRun } from './run.ts';

export type RotateCaOptions = StoredOptions & {
  readonly drop: boolean;
  /** Begin another rotation although the last one is not dropped yet. */
  readonly new: boolean;
  /** Without the passphrase of the old keys. */
  readonly lostPassphrase: boolean;
  readonly noOverlap: boolean;
  /** Clients unknown to this store may lose a host. */
  readonly rejectOtherClients: boolean;
};

type RotateCaRequest = RotateCaOptions & Pick<StoredRun, 'ca' | 'flags'>;

export type RotatedCa = {
  /** How far the rotation had come, and has come now, in words too. */
  readonly before: RotationStage;
  readonly after: RotationStage;
  readonly words: string;
  readonly changes: readonly StageChange[];
  /** Copies outside this store, by client, that do not have its certificate of the CA that issues now. */
  readonly outdated: ReadonlyMap<string, readonly OutdatedCopy[]>;
};

/** The stages that are not done yet; the last one, which drops the old CA, only where it is asked for, or was begun. */
export async function rotateCa(context: ActionContext, options: RotateCaOptions): Promise<RotatedCa> {
  const { run, state, flags, ca } = await openStoredRun(context, options);
  const now = run.runtime.now();
  const before = stageOf(state, now);
  if (options.lostPassphrase && before.stage !== 'none' && !options.new)
    throw usage('a rotation is under way; without the passphrase it takes another one', [
      'docker-tls rotate ca --new --lost-passphrase',
    ]);
  const drops = options.drop || (before.stage === 'clear' && !options.new);
  if (drops && before.stage === 'none') return { before, after: before, words: '', changes: [], outdated: new Map() };
  const changes = drops ? [await dropOldCas(flags, run)] : await acceptAndIssue({ ...options, ca, flags }, run);
  const latest = run.dryRun ? state : await run.store.read();
  const after = stageOf(latest, run.runtime.now());
  const outdated = new Map(
    activeClients(latest).map((client) => [client.record.name, outdatedCopies(client)] as const),
  );
  return { before, after, words: describeRotation(run.dryRun ? before : after, latest), changes, outdated };
}

export type StageChange = { readonly stage: 'accept' | 'issue' | 'drop'; readonly changed: Changed };

/** Stages 1 and 2, as far as they are not done; the second only where no host is left that lacks the first. A dry run plans both. */
async function acceptAndIssue(request: RotateCaRequest, run: Run): Promise<readonly StageChange[]> {
  const done: StageChange[] = [];
  const now = run.runtime.now();
  const before = await run.store.read();
  const first = stageOf(before, now).stage;
  const begins = request.new || first === 'none' || first === 'clear';
  if (begins || first === 'accept') {
    run.progress.note('stage 1: accept the old CA and the new one');
    done.push({ stage: 'accept', changed: await change(begins ? beginning(request) : accepting(request), run) });
  }
  const next = run.dryRun ? 'issue' : stageOf(await run.store.read(), now).stage;
  if (next !== 'issue' || (run.dryRun && first === 'drop' && !begins)) return done;
  run.progress.note('stage 2: issue from the new CA');
  const begun = run.dryRun && begins ? (state: StoreState) => beginChanges(request, state) : () => [];
  done.push({ stage: 'issue', changed: await change(issuing(request, begun), run) });
  return done;
}

/** Stage 3. Refused while a host or client still depends on the old CA: E_CA_IN_USE (exit 3). */
async function dropOldCas(flags: HostFlags, run: Run): Promise<StageChange> {
  const before = await run.store.read();
  refuseDrop(stageOf(before, run.runtime.now()), before);
  if (!run.dryRun) await requireCopies(before, run);
  const want = (state: StoreState, now: Date): Wanted => {
    const stage = stageOf(state, now);
    refuseDrop(stage, state);
    return {
      hosts: recordedSpecs(stage.hosts, state, flags),
      credentials: stage.stage === 'drop' ? [{ kind: 'drop-old-cas' }] : [],
      // A CA that is dropped by name goes with all its clients.
      target: { kind: 'desired', rejectOthers: true, addHardening: true },
      copies: true,
    };
  };
  const question = () => 'Stop accepting the old CA? Clients that have not fetched their new files are locked out.';
  return { stage: 'drop', changed: await change({ reason: 'rotate ca', want, question }, run) };
}

/** While both are accepted, and the store still tells files of the old CA as ours: docker here must not be what is locked out. E_CLIENT_COPY. */
async function requireCopies(state: StoreState, run: Run): Promise<void> {
  const copies = await refreshAll([...state.clients.keys()], state, run);
  const problems = [...copies.values()].flatMap((one) => one.problems);
  if (problems.length === 0) return;
  throw new DockerTlsErrors([
    ...problems,
    new DockerTlsError(
      'E_CLIENT_COPY',
      'the old CA is still accepted: docker on this machine could not be given its new files',
      { hints: ['docker-tls rotate ca --drop'] },
    ),
  ]);
}

/** A new CA, and for every client an issuing CA under it; every host learns to accept both. */
function beginning(request: RotateCaRequest): Intent {
  const { rejectOtherClients: rejectOthers } = request;
  return {
    reason: 'rotate ca',
    want(state, now) {
      const credentials = beginChanges(request, state);
      const view = preview(viewOf(state, now), credentials);
      const { outdated, withoutClients, notes } = accessOf(state, view, { rejectOthers, now });
      const olds = [state.ca, ...state.oldCas].flatMap((ca) => (ca === undefined ? [] : [ca.cert]));
      // Where every older CA has expired there is nothing left to accept: old and new change at once, in stage 2.
      const hosts = olds.every((cert) => inspectCertificate(cert).notAfter < now) ? [] : outdated;
      return {
        hosts: recordedSpecs(hosts, state, request.flags),
        credentials,
        target: { kind: 'desired', rejectOthers, addHardening: true },
        notes,
        leftOut: withoutClients,
        copies: true,
      };
    },
    question({ hosts }) {
      const lost = request.lostPassphrase
        ? " The keys that can no longer be opened (of the CA and of clients' issuing CAs) are deleted."
        : '';
      return `Make a new CA, and let ${plural(hosts.length, 'host')} accept old and new?${lost}`;
    },
  };
}

function beginChanges({ ca, lostPassphrase }: RotateCaRequest, state: StoreState): CredentialChange[] {
  if (state.ca === undefined) {
    throw new DockerTlsError('E_NO_CA', 'there is no CA to rotate yet', { hints: ['docker-tls setup root@HOST'] });
  }
  // A colleague's as well: hosts that list clients one by one have to know it before the colleague asks for a certificate.
  const clients = activeClients(state).filter(({ key, record }) => key !== undefined || state.issuers.has(record.name));
  return [
    { kind: 'replace-ca', ca, lost: lostPassphrase },
    ...clients.map(({ record: { name, keyType } }) => ({ kind: 'issuing-ca' as const, client: name, keyType })),
  ];
}

function accepting({ flags, rejectOtherClients: rejectOthers }: RotateCaRequest): Intent {
  return {
    reason: 'rotate ca',
    want: (state, now) => ({
      hosts: recordedSpecs(stageOf(state, now).hosts, state, flags),
      credentials: [],
      target: { kind: 'desired', rejectOthers, addHardening: true },
      copies: true,
    }),
    question: () => 'Stage 1: let these hosts accept old and new?',
  };
}

/** New certificates for clients whose key is here, and for hosts. `begun`: changes of a stage 1 that is only planned. */
function issuing(
  { flags, noOverlap, rejectOtherClients: rejectOthers }: RotateCaRequest,
  begun: (state: StoreState) => readonly CredentialChange[],
): Intent {
  return {
    reason: 'rotate ca',
    want(state, now) {
      const first = begun(state);
      const stage = stageOf(state, now);
      const clients = activeClients(state).filter(({ key, record }) =>
        key === undefined ? false : first.length > 0 || stage.clients.includes(record.name),
      );
      const isNew = (name: string) =>
        first.length === 0 && isFrom(state.hosts.get(name)?.serverCert ?? '', state.ca?.cert ?? '', 'server', now);
      const servers = [...state.hosts.keys()].filter((name) => !isNew(name));
      const breaking = servers.filter((name) =>
        breaksClients(state.hosts.get(name)?.serverCert ?? '', oldCasOf(state, first), now),
      );
      const waits = breaking.length > 0 && !noOverlap;
      const unfetched = stage.clients.filter((name) => state.clients.get(name)?.key === undefined);
      return {
        hosts: waits ? [] : recordedSpecs(servers, state, flags),
        credentials: [...first, ...clients.map(({ record }) => renewed(state, record.name, undefined, now))],
        target: { kind: 'desired', force: 'from the new CA', noOverlap, rejectOthers, addHardening: true },
        leftOut: waits ? [caBreaksClients(breaking, unfetched)] : [],
        copies: true,
      };
    },
    question: ({ hosts }) => (hosts.length === 0 ? undefined : 'Stage 2: give these hosts certificates of the new CA?'),
  };
}

/** The CAs that are older than the one that issues, once `begun` is carried out. */
function oldCasOf({ ca, oldCas }: StoreState, begun: readonly CredentialChange[]): StoreState['oldCas'] {
  return begun.length > 0 && ca !== undefined ? [{ ...ca, serial: '' }, ...oldCas] : oldCas;
}

function refuseDrop(stage: RotationStage, { clients }: Pick<StoreState, 'clients'>): void {
  if (stage.stage === 'drop' || stage.stage === 'clear' || stage.stage === 'none') return;
  const here = stage.clients.some((name) => clients.get(name)?.key !== undefined);
  throw new DockerTlsError(
    'E_CA_IN_USE',
    `the old CA is still needed by ${[...stage.hosts.map((host) => `host ${host}`), ...stage.clients.map((client) => `client ${client}`)].join(', ')}`,
    {
      hints: [
        ...(stage.hosts.length > 0 || here ? ['docker-tls rotate ca'] : []),
        ...nextSteps(stage.clients, clients),
      ],
    },
  );
}
