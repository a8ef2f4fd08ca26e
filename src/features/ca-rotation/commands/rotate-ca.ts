/** `rotate ca`: a new CA in stages that can be stopped and resumed anywhere. */

import { type CommandResult, defineCommand } from '../../../cli/command.ts';
import { CA_OPTIONS, CLIENT_OPTIONS, STORED_OPTIONS } from '../../../cli/host-options.ts';
import type { ActionContext } from '../../../core/actions/action-context.ts';
import { openStoredRun, type StoredOptions } from '../../../core/actions/run.ts';
import type { StoreState } from '../../../core/adapters/store/records.ts';
import { activeClients } from '../../../core/domain/trust/clients.ts';
import { type OutdatedCopy, outdatedCopies } from '../../../core/domain/trust/handed-out.ts';
import { change } from '../../../core/engine/change.ts';
import type { Changed, Run } from '../../../core/engine/intent.ts';
import { refreshAllCopies } from '../../../core/engine/steps/issue-credentials.ts';
import type { ChangeDocument } from '../../../core/render/change-document.ts';
import { type RenderContext, renderChange } from '../../../core/render/change-result.ts';
import { type OutdatedCopyDocument, outdatedCopyDocument } from '../../../core/render/documents.ts';
import { DockerTlsError, DockerTlsErrors, gravestExit, usage } from '../../../errors/errors.ts';
import {
  accepting,
  beginning,
  type CaRotation,
  droppable,
  dropping,
  issuing,
  type RotationIntent,
} from '../domain/intents.ts';
import { describeRotation, stageOf } from '../domain/progress.ts';
import type { RotationStage } from '../domain/stage.ts';

export type RotateCaDocument = {
  /** Where the rotation stands; in a dry run: now. Absent after a stage that failed, and after the old CA was dropped. */
  readonly stage?: RotationStageDocument;
  /** What each stage of this run did, or would do. */
  readonly stages: readonly (ChangeDocument & { readonly stage: 'accept' | 'issue' | 'drop' })[];
  /** Copies of clients' files that hold an old certificate. */
  readonly outdated: readonly (OutdatedCopyDocument & { readonly client: string })[];
};

type RotationStageDocument = {
  /** `none`: no rotation; `clear`: the old CA is no longer in the store, but `hosts` still accept it. */
  readonly stage: 'none' | 'accept' | 'issue' | 'drop' | 'clear';
  /** Hosts that the stage still has to change. */
  readonly hosts: readonly string[];
  /** Clients that still have credentials of an old CA. */
  readonly clients: readonly string[];
};

export const command = defineCommand({
  scope: ['fleet', 'hosts', 'changes', 'plans', 'store'],
  about:
    "Stage 1: every host learns to accept clients of the old CA and of the new. Stage 2: hosts and clients get credentials of the new CA; hosts also send a certificate that the old CA has signed, so clients that have not fetched their new files keep working (without the old CA's key there is no such certificate, and stage 2 waits for --no-overlap). Stage 3 (--drop): the old CA is no longer accepted.\nEvery stage is verified on every host before the next. Stop anywhere: the same command continues.",
  examples: ['docker-tls rotate ca --dry-run', 'docker-tls rotate ca --yes', 'docker-tls rotate ca --drop --yes'],
  args: {},
  options: {
    ...STORED_OPTIONS,
    ...CA_OPTIONS,
    keyType: CLIENT_OPTIONS.keyType,
    drop: { kind: 'flag', summary: 'stage 3: stop accepting the old CA' },
    new: { kind: 'flag', summary: 'begin another rotation although the last one is not dropped yet' },
    noOverlap: {
      kind: 'flag',
      summary: "stage 2 although the old CA's key is not here: clients that have not fetched new files lose access",
    },
    lostPassphrase: {
      kind: 'flag',
      summary: "begin without the old CA's passphrase: keys under it are deleted, the new CA gets another one",
    },
  },
  run: async (context) => renderRotatedCa(await rotateCa(context, context.options), context),
});

type RotateCaOptions = StoredOptions &
  Omit<CaRotation, 'ca' | 'flags'> & {
    readonly drop: boolean;
    /** Start another rotation although the last one has not dropped its old CA. */
    readonly new: boolean;
  };

type StageChange = { readonly stage: 'accept' | 'issue' | 'drop'; readonly changed: Changed };

type RotatedCa = {
  /** The stage of the rotation before and after, also in words. */
  readonly before: RotationStage;
  readonly after: RotationStage;
  readonly words: string;
  readonly changes: readonly StageChange[];
  /** By client: copies outside this store without a certificate of the current CA. */
  readonly outdated: ReadonlyMap<string, readonly OutdatedCopy[]>;
};

/** The remaining stages; the last one, which drops the old CA, only if requested or already started. */
async function rotateCa(context: ActionContext, options: RotateCaOptions): Promise<RotatedCa> {
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

/** Stages 1 and 2, as far as they remain; the second only after every host has the first. A dry run plans both. */
async function acceptAndIssue(request: CaRotation & Pick<RotateCaOptions, 'new'>, run: Run): Promise<StageChange[]> {
  const done: StageChange[] = [];
  const now = run.runtime.now();
  const first = stageOf(await run.store.read(), now).stage;
  const begins = request.new || first === 'none' || first === 'clear';
  if (begins || first === 'accept') {
    run.progress.note('stage 1: accept the old CA and the new one');
    done.push(await make('accept', begins ? beginning(request) : accepting(request), run));
  }
  const next = run.dryRun ? 'issue' : stageOf(await run.store.read(), now).stage;
  if (next !== 'issue' || (run.dryRun && first === 'drop' && !begins)) return done;
  run.progress.note('stage 2: issue from the new CA');
  done.push(await make('issue', issuing(request, run.dryRun && begins), run));
  return done;
}

/** Stage 3. Fails with E_CA_IN_USE (exit 3) while a host or client still depends on the old CA. */
async function dropOldCas(flags: CaRotation['flags'], run: Run): Promise<StageChange> {
  const before = await run.store.read();
  droppable(before, run.runtime.now());
  if (!run.dryRun) await requireCopies(before, run);
  return make('drop', dropping(flags), run);
}

/**
 * Updates docker's copies on this machine while both CAs are accepted and the store still recognizes files of the old CA. Otherwise docker
 * on this machine could be locked out. Fails as their updates do.
 */
async function requireCopies(state: StoreState, run: Run): Promise<void> {
  const copies = await refreshAllCopies([...state.clients.keys()], state, run);
  const problems = [...copies.values()].flatMap((one) => one.problems);
  const [first] = problems;
  if (first === undefined) return;
  throw new DockerTlsErrors([
    ...problems,
    new DockerTlsError(
      first.code,
      'the old CA is still accepted: docker on this machine could not be given its new files',
      { hints: ['docker-tls rotate ca --drop'] },
    ),
  ]);
}

async function make(stage: StageChange['stage'], wants: RotationIntent, run: Run): Promise<StageChange> {
  return { stage, changed: await change({ reason: 'rotate ca', ...wants }, run) };
}

function renderRotatedCa(
  { before, after, words, changes, outdated }: RotatedCa,
  around: RenderContext,
): CommandResult<RotateCaDocument> {
  const [drop] = changes;
  if (drop === undefined && before.stage === 'none' && words === '')
    return {
      exit: 0,
      result: { stage: stageDocument(before), stages: [], outdated: [] },
      text: 'There is no old CA to drop.',
    };
  if (drop?.stage === 'drop') return renderDrop(drop, before, outdated, around);
  const parts = changes.map(({ changed, stage }) => ({ ...renderChange(changed, around), stage }));
  const exit = gravestExit(parts.map((part) => part.exit));
  const errors = parts.flatMap((part) => part.errors ?? []);
  const stages = parts.map((part) => ({ stage: part.stage, ...part.result }));
  const copies = outdatedDocument(outdated);
  const text = parts.map((part) => [STAGES[part.stage], part.text].filter(Boolean).join('\n\n'));
  if (around.global.dryRun)
    return {
      exit,
      result: { stage: stageDocument(before), stages, outdated: copies },
      text: [words, ...text].join('\n\n'),
      errors,
    };
  if (exit !== 0 && parts.at(-1)?.exit !== 0)
    return { exit, result: { stages, outdated: copies }, text: text.join('\n\n'), errors };
  const done = after.stage === 'drop';
  const rest = done
    ? 'Old and new are accepted, everything here has new certificates.\nWhen every client has fetched theirs:'
    : words;
  return {
    exit,
    result: { stage: stageDocument(after), stages, outdated: copies },
    text: [...text, outdatedWords(outdated), rest].filter((part) => part !== '').join('\n\n'),
    next: done ? ['docker-tls rotate ca --drop'] : undefined,
    errors,
  };
}

const STAGES = { accept: 'Stage 1: accept the old CA and the new', issue: 'Stage 2: issue from the new CA', drop: '' };

/** Files that the clients' owners have to fetch or to pass to their tools. */
function outdatedWords(outdated: RotatedCa['outdated']): string {
  const lines = [...outdated].flatMap(([name, copies]) =>
    copies.map(({ what, renew }) => `  ${name}, ${what}: ${renew}`),
  );
  return lines.length === 0 ? '' : ['Copies that still hold an old certificate:', ...lines].join('\n');
}

function outdatedDocument(outdated: RotatedCa['outdated']): RotateCaDocument['outdated'] {
  return [...outdated].flatMap(([client, copies]) => copies.map((copy) => ({ client, ...outdatedCopyDocument(copy) })));
}

function stageDocument({ stage, hosts, clients }: RotationStage): RotationStageDocument {
  return { stage, hosts, clients };
}

function renderDrop(
  { changed }: StageChange,
  stage: RotatedCa['before'],
  outdated: RotatedCa['outdated'],
  around: RenderContext,
): CommandResult<RotateCaDocument> {
  const { result, text, attention = '', ...rest } = renderChange(changed, around);
  const left = outdatedWords(outdated);
  const ending =
    rest.exit === 0
      ? 'The old CA is no longer accepted anywhere.'
      : 'The hosts that failed still accept it; run the same command again.';
  const dryRun = changed.planned !== undefined;
  return {
    ...rest,
    result: {
      stage: dryRun ? stageDocument(stage) : undefined,
      stages: [{ stage: 'drop', ...result }],
      outdated: outdatedDocument(outdated),
    },
    text: [text, left, dryRun ? '' : ending].filter((part) => part !== '').join('\n\n'),
    attention: [attention, left].filter((part) => part !== '').join('\n\n'),
  };
}
