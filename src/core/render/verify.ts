/** The verification of hosts: accepted and rejected clients. */

import type { CommandResult } from '../../cli/command.ts';
import type { Verified } from '../actions/verify.ts';
import { errorsOf, exitOfResults } from '../domain/host-results.ts';
import type { Around } from './change.ts';
import { coloursOf } from './colours.ts';
import { renderChecks, renderOthers } from './outcome.ts';

export function renderVerified({ results, failures, otherCas }: Verified, { runtime }: Around): CommandResult {
  const colours = coloursOf(runtime.io);
  const text = results.map((result) =>
    result.kind === 'done'
      ? [
          colours.bold(result.host),
          renderChecks(result.value, colours),
          ...renderOthers(otherCas.get(result.host) ?? [], colours),
        ].join('\n')
      : `${result.host}: ${result.kind}`,
  );
  const exit = exitOfResults(results, runtime.signal);
  return {
    exit: failures.length > 0 && (exit === 0 || exit === 4) ? 7 : exit,
    result: {
      hosts: results.map((result) =>
        result.kind === 'done'
          ? {
              host: result.host,
              ok: result.value.every((check) => check.ok),
              checks: result.value,
              otherCas: otherCas.get(result.host),
            }
          : { host: result.host, result: result.kind },
      ),
    },
    text: text.join('\n\n'),
    attention: '',
    errors: [...errorsOf(results), ...failures],
  };
}
