/** `rotate ca`: the remaining stages, each a separate change; any of them can be the first. */

import { usage } from '../../errors/errors.ts';
import type { RotationStage } from '../domain/plan/stages.ts';
import { activeClients } from '../domain/trust/clients.ts';
import { type OutdatedCopy, outdatedCopies } from '../domain/trust/handed-out.ts';
import { describeRotation, stageOf } from '../domain/trust/rotation.ts';
import {
  accepting,
  beginning,
  type CaRotation,
  droppable,
  dropping,
  issuing,
  type RotationIntent,
} from '../domain/trust/rotation-stages.ts';
import { change } from '../engine/change.ts';
import type { Changed, Run } from '../engine/intent.ts';
import { requireCopies } from '../engine/steps/issue.ts';
import type { ActionContext } from './action-context.ts';
import { openStoredRun, type StoredOptions } from './run.ts';

export type RotateCaOptions = StoredOptions &
  Omit<CaRotation, 'ca' | 'flags'> & {
    readonly drop: boolean;
    /** Start another rotation although the last one has not dropped its old CA. */
    readonly new: boolean;
  };

export type StageChange = { readonly stage: 'accept' | 'issue' | 'drop'; readonly changed: Changed };

export type RotatedCa = {
  /** The stage of the rotation before and after, also in words. */
  readonly before: RotationStage;
  readonly after: RotationStage;
  readonly words: string;
  readonly changes: readonly StageChange[];
  /** By client: copies outside this store without a certificate of the current CA. */
  readonly outdated: ReadonlyMap<string, readonly OutdatedCopy[]>;
};

/** The remaining stages; the last one, which drops the old CA, only if requested or already started. */
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

async function make(stage: StageChange['stage'], wants: RotationIntent, run: Run): Promise<StageChange> {
  return { stage, changed: await change({ reason: 'rotate ca', ...wants }, run) };
}
