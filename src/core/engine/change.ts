/** Ordered steps of a change: what is decided, then what is done. */

import type { Intent } from '../domain/trust/changes.ts';
import { changeEach } from './change-each.ts';
import type { ChangeContext, Changed, Run } from './intent.ts';
import { approveSigner, showSigner } from './steps/approve.ts';
import { confirm, mayChange } from './steps/confirm.ts';
import { changedNothing, outcomeOf } from './steps/finish.ts';
import { holdStore } from './steps/hold-store.ts';
import { issueCredentials, unlockCa } from './steps/issue-credentials.ts';
import { closeSessions, planHosts } from './steps/plan-hosts.ts';
import { resolveIntent } from './steps/resolve-intent.ts';
import { retractUnused } from './steps/retract.ts';
import { askWitnesses } from './steps/store-witnesses.ts';

/**
 * Makes a change, or with `dryRun` only plans it. Failures of hosts are in their results. Failures of the whole run are thrown: refusals of
 * the intent, E_STORE_CHANGED (exit 4), and errors of the issuer, the store and the question.
 */
export async function change(intent: Intent, run: Run): Promise<Changed> {
  return changeHosts(await resolveIntent(intent, run));
}

/** The steps after `resolveIntent`, for a command that checks this machine in between. */
export async function changeHosts(context: ChangeContext): Promise<Changed> {
  try {
    // Decided: changes and signs nothing on this machine, on a host or at a CA.
    await planHosts(context);
    await askWitnesses(context);
    await showSigner(context);
    if (changedNothing(context)) return outcomeOf(context);

    // Done.
    await confirm(context, context);
    await approveSigner(context);
    await unlockCa(context);
    if (mayChange(context)) await context.run.beforeChange?.(context.hosts);
    await holdStore(context, [issueCredentials, changeEach, retractUnused]);
    return outcomeOf(context);
  } finally {
    await closeSessions(context);
  }
}
