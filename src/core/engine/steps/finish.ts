/** Last step: the outcome of a change. */

import type { HostResult } from '../../domain/host-results.ts';
import type { ChangeContext, Changed } from '../intent.ts';

/** Whether the change ends with its plans: a dry run, or no host is left to ask about. */
export function changedNothing({ run, wanted, hosts }: ChangeContext): boolean {
  return run.dryRun || ((wanted.temporary || wanted.target.kind === 'generation') && allFailed(hosts));
}

export function outcomeOf(context: ChangeContext): Changed {
  const { run, wanted, hosts, signer, unapproved, state, copies } = context;
  if (run.dryRun) return { wanted, state, copies, results: [], planned: { wanted, hosts, signer, unapproved } };
  // Without plans to carry out, there are only the reasons why.
  const results = context.results ?? hosts.filter((one) => one.kind !== 'done');
  return { wanted, state, copies, results };
}

export function allFailed(results: readonly HostResult<unknown>[]): boolean {
  return results.length > 0 && results.every(({ kind }) => kind !== 'done');
}
