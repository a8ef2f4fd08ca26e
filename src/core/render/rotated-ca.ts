/** A rotation of the CA: its stages, and the next step. */

import type { CommandResult } from '../../cli/command.ts';
import { gravestExit } from '../../errors/errors.ts';
import type { RotatedCa, StageChange } from '../actions/rotate-ca.ts';
import { type Around, renderChange } from './change.ts';

export function renderRotatedCa({ before, after, words, changes, outdated }: RotatedCa, around: Around): CommandResult {
  const [drop] = changes;
  if (drop === undefined && before.stage === 'none' && words === '')
    return { exit: 0, result: { stage: before }, text: 'There is no old CA to drop.' };
  if (drop?.stage === 'drop') return renderDrop(drop, before, outdated, around);
  const parts = changes.map(({ changed, stage }) => ({ ...renderChange(changed, around), stage }));
  const exit = gravestExit(parts.map((part) => part.exit));
  const errors = parts.flatMap((part) => part.errors ?? []);
  const stages = parts.map((part) => ({ stage: part.stage, ...part.result }));
  const text = parts.map((part) => [STAGES[part.stage], part.text].filter(Boolean).join('\n\n'));
  if (around.global.dryRun)
    return { exit, result: { stage: before, stages }, text: [words, ...text].join('\n\n'), errors };
  if (exit !== 0 && parts.at(-1)?.exit !== 0) return { exit, result: { stages }, text: text.join('\n\n'), errors };
  const done = after.stage === 'drop';
  const rest = done
    ? 'Old and new are accepted, everything here has new certificates.\nWhen every client has fetched theirs:'
    : words;
  return {
    exit,
    result: { stages, stage: after, outdated: outdatedJson(outdated) },
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

function outdatedJson(outdated: RotatedCa['outdated']): unknown[] {
  return [...outdated].flatMap(([client, copies]) => copies.map((copy) => ({ client, ...copy })));
}

function renderDrop(
  { changed }: StageChange,
  stage: RotatedCa['before'],
  outdated: RotatedCa['outdated'],
  around: Around,
): CommandResult {
  const { result, text, ...rest } = renderChange(changed, around);
  const ending =
    rest.exit === 0
      ? 'The old CA is no longer accepted anywhere.'
      : 'The hosts that failed still accept it; run the same command again.';
  const dryRun = changed.planned !== undefined;
  return {
    ...rest,
    result: {
      stage: dryRun ? stage : undefined,
      stages: [{ stage: 'drop', ...result }],
      outdated: outdatedJson(outdated),
    },
    text: [text, outdatedWords(outdated), dryRun ? '' : ending].filter((part) => part !== '').join('\n\n'),
  };
}
