/** The result of a setup: the verification, and docker's route to the host from this machine. */

import type { CommandResult } from '../../cli/command.ts';
import { printable } from '../../errors/errors.ts';
import type { SetUp } from '../actions/setup-reached.ts';
import { dockerHost } from '../domain/destination.ts';
import { type Around, renderChange } from './change.ts';
import { coloursOf } from './colours.ts';
import { useCommands } from './next.ts';
import { outcomeJson, renderAttention, renderChecks, renderOutcome, renderWarnings } from './outcome.ts';

export function renderSetup(
  { changed, spec, client, context, ownClient, errors }: SetUp,
  around: Around,
): CommandResult {
  const [outcome] = changed.results;
  if (outcome?.kind !== 'done') {
    const { result, ...rest } = renderChange(changed, around);
    return { ...rest, result: { client, ...result } };
  }
  const { value } = outcome;
  const { io } = around.runtime;
  const colours = coloursOf(io);
  const endpoint = dockerHost(value.address, spec.port);
  const via = value.checks.find((check) => check.via !== undefined)?.via;
  // On a terminal the progress already shows it.
  const verified = io.errIsTerminal
    ? `\nVerified ${via === undefined ? 'from here' : printable(`through ${via}`)}, over new connections:\n${[renderChecks(value.checks, colours), ...renderWarnings(value.warnings, colours)].join('\n')}`
    : renderOutcome(value, colours);
  // Only verified clients.
  const accepted = value.checks.flatMap(({ who, expected, ok }) =>
    expected === 'accepted' && ok ? [colours.bold(who.replace(/^client /, ''))] : [],
  );
  const sentence = accepted.length === 0 ? 'Next:' : `${endpoint} accepts ${accepted.join(', ')}. Next:`;
  return {
    exit: 0,
    result: { ...outcomeJson(outcome), endpoint, client, context },
    text: [verified, '', sentence].join('\n'),
    next: [...useCommands(spec, context, around.runtime), ...ownClient],
    attention: renderAttention([outcome]),
    errors,
  };
}
