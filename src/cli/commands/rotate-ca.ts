/** Owns `rotate ca`: a new CA in stages that can be stopped and resumed anywhere. */

import { dropOldCas, rotateCa, type StageChange } from '../../actions/rotate-ca.ts';
import { openStoredRun } from '../../actions/run.ts';
import type { RotationStage } from '../../domain/plan/stages.ts';
import { describeRotation, stageOf } from '../../domain/trust/rotation.ts';
import { gravestExit, usage } from '../../errors/errors.ts';
import { type CommandResult, defineCommand } from '../command.ts';
import { CA_OPTIONS, CLIENT_OPTIONS, STORED_OPTIONS } from '../host-options.ts';
import { renderChange } from '../render/change.ts';

export const command = defineCommand({
  name: 'rotate ca',
  summary: 'A new CA: accept old and new, issue from the new, drop the old',
  about:
    "Stage 1: every host learns to accept clients of the old CA and of the new. Stage 2: hosts and clients get credentials of the new CA; hosts also send a certificate that the old CA has signed, so clients that have not fetched their new files keep working (without the old CA's key there is no such certificate, and stage 2 waits for --no-overlap). Stage 3 (--drop): the old CA is no longer accepted.\nEvery stage is verified on every host before the next. Stop anywhere: the same command goes on.",
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
  async run(context) {
    const { options, global, runtime } = context;
    const { run, state, flags, ca } = await openStoredRun(context, options);
    const stage = stageOf(state, runtime.now());
    if (options.lostPassphrase && stage.stage !== 'none' && !options.new)
      throw usage('a rotation is under way; without the passphrase it takes another one', [
        'docker-tls rotate ca --new --lost-passphrase',
      ]);
    if (options.drop || (stage.stage === 'clear' && !options.new)) {
      if (stage.stage === 'none') return { exit: 0, result: { stage }, text: 'There is no old CA to drop.' };
      return finish(await dropOldCas(flags, run), stage, context);
    }
    const { new: again, lostPassphrase: lost, noOverlap } = options;
    const done = await rotateCa({ ca, flags, again, lost, noOverlap, rejectOthers: options.rejectOtherClients }, run);
    const parts = done.map((one) => ({ ...renderChange(one.changed, context), stage: one.stage }));
    const errors = parts.flatMap((part) => part.errors ?? []);
    const stages = parts.map((part) => ({ stage: part.stage, ...(part.result as object) }));
    const after = global.dryRun ? state : await run.store.read();
    const now = stageOf(after, runtime.now());
    const last = parts.at(-1);
    const text = parts.map((part) => [STAGES[part.stage], part.text].filter(Boolean).join('\n\n'));
    if (global.dryRun)
      return {
        exit: gravestExit(parts.map(({ exit }) => exit)),
        result: { stage, stages },
        text: [describeRotation(stage, after), ...text].join('\n\n'),
        errors,
      };
    const exit = gravestExit(parts.map((part) => part.exit));
    if (exit !== 0 && last?.exit !== 0) return { exit, result: { stages }, text: text.join('\n\n'), errors };
    const rest =
      now.stage === 'drop'
        ? 'Old and new are accepted, everything here has new certificates.\nWhen every client has fetched theirs:'
        : describeRotation(now, after);
    return {
      exit,
      result: { stages, stage: now },
      text: [...text, rest].filter((part) => part !== '').join('\n\n'),
      next: now.stage === 'drop' ? ['docker-tls rotate ca --drop'] : undefined,
      errors,
    };
  },
});

const STAGES = { accept: 'Stage 1: accept the old CA and the new', issue: 'Stage 2: issue from the new CA', drop: '' };

function finish(
  { changed }: StageChange,
  stage: RotationStage,
  context: Parameters<typeof renderChange>[1],
): CommandResult {
  const { result, text, ...rest } = renderChange(changed, context);
  const ending =
    rest.exit === 0
      ? 'The old CA is no longer accepted anywhere.'
      : 'The hosts that failed still accept it; run the same command again.';
  const dryRun = changed.planned !== undefined;
  return {
    ...rest,
    result: { stage: dryRun ? stage : undefined, stages: [{ stage: 'drop', ...(result as object) }] },
    text: [text, dryRun ? '' : ending].filter((part) => part !== '').join('\n\n'),
  };
}
