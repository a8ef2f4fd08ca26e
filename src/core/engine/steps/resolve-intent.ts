/** First step of a run: the store's state and the resolved intent. */

import type { StoreState } from '../../adapters/store/records.ts';
import type { KnownHosts } from '../../domain/plan/other-store.ts';
import { externalCaKey } from '../../domain/trust/ca-refusals.ts';
import type { CredentialChange, Intent } from '../../domain/trust/changes.ts';
import type { AccessView } from '../../domain/trust/view.ts';
import { viewOf } from '../../domain/trust/view.ts';
import type { ChangeContext, Run } from '../intent.ts';
import { holdsStore } from './hold-store.ts';

/** Resolves the intent against the store, as the command has read it or as it is now. Throws obstacles to the whole run. */
export async function resolveIntent(intent: Intent, run: Run): Promise<ChangeContext> {
  const { store, runtime, progress } = run;
  if (!run.dryRun) await store.requireWritable();
  const now = runtime.now();
  const state = run.state !== undefined && (await store.isCurrent(run.state)) ? run.state : await store.read();
  const wanted = intent.want(state, now);
  if (wanted.credentials.length > 0) {
    requireIssuing(viewOf(state, now), wanted.credentials);
  }
  for (const note of wanted.notes ?? []) progress.note(note);
  return {
    ...{ intent, run, now, wanted, state },
    known: knownHosts(state),
    held: holdsStore(wanted, state, run),
    ...{ issued: false, hosts: [], copies: new Map() },
  };
}

/** The hosts of the store. A new map for each run, because the run adds the hosts that it sets up. */
export function knownHosts({ hosts }: Pick<StoreState, 'hosts'>): KnownHosts {
  return new Map([...hosts].map(([name, { serverCert }]) => [name, serverCert]));
}

/** Refuses changes that need the CA's key if it is not in the store: E_CA_KEY_EXTERNAL (exit 2). */
function requireIssuing(view: AccessView, changes: readonly CredentialChange[]): void {
  const made = changes.some(({ kind }) => kind === 'create-ca' || kind === 'import-ca' || kind === 'replace-ca');
  if (view.issuing !== 'external' || made) return;
  for (const change of changes) {
    const client =
      change.kind === 'client' ? change.record.name : change.kind === 'issuing-ca' ? change.client : undefined;
    if (client !== undefined && !view.issuers.get(client)?.current) throw externalCaKey();
  }
}
