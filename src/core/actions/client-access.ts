/** `client add` and `client revoke`: a change of clients, and of the affected hosts. */

import type { ClientRecord, StoredHost, StoreState } from '../adapters/store/records.ts';
import { type HostFlags, recordedSpecs } from '../domain/fleet/specs.ts';
import { given } from '../domain/given.ts';
import { inspectCertificate } from '../domain/pki/inspect.ts';
import type { KeyType } from '../domain/pki/key-types.ts';
import { accessOf, reasonsFor, withTrust } from '../domain/trust/access.ts';
import { type CredentialChange, firstCa, preview, specsOf, type Wanted } from '../domain/trust/changes.ts';
import { admit, requireHosts, revoked } from '../domain/trust/clients.ts';
import { viewOf } from '../domain/trust/view.ts';
import { nameHosts } from '../domain/words.ts';
import { change } from '../engine/change.ts';
import type { ActionContext } from './action-context.ts';
import { clientSpec } from './flags.ts';
import type { Changed } from './results.ts';
import { openStoredRun, type StoredOptions } from './run.ts';

export type AccessOptions = StoredOptions & { readonly rejectOtherClients: boolean };

export type AddOptions = AccessOptions & {
  readonly hosts: readonly string[];
  readonly days: number | undefined;
  readonly keyType: KeyType | undefined;
};

export type Added = {
  readonly changed: Changed;
  /** Settings that existing clients also get. */
  readonly requested: Partial<Pick<ClientRecord, 'hosts' | 'days' | 'keyType'>>;
  readonly clients: readonly AddedClient[];
};

export type AddedClient = {
  readonly client: string;
  readonly created: boolean;
  readonly changed: boolean;
  /** The stored credentials, unless this was a dry run. */
  readonly stored: { readonly directory: string; readonly expires: Date } | undefined;
};

export async function addClients(
  context: ActionContext,
  names: readonly string[],
  options: AddOptions,
): Promise<Added> {
  // These belong to the client; the changed hosts keep their own.
  const { days, keyType, ...about } = options;
  const { run, ca, flags } = await openStoredRun(context, about);
  const hosts = options.hosts.length > 0 ? options.hosts : undefined;
  const requested = given({ hosts, days, keyType });
  const clients = [...new Set(names)].map((name) => ({ ...clientSpec(name, options), hosts }));
  const rejectOthers = options.rejectOtherClients;
  const want = (state: StoreState, now: Date): Wanted => {
    requireHosts(options.hosts, state);
    const changes = clients.flatMap((spec) => admit(state, spec, requested, now).changes);
    return tellHosts(state, [...firstCa(state.ca, ca), ...changes], { flags, rejectOthers, now });
  };
  const changed = await change({ reason: 'client add', want, question: askAboutHosts }, run);
  return { changed, requested, clients: clients.map(({ name }) => addedClient(name, changed)) };
}

function addedClient(name: string, { wanted, planned, state }: Changed): AddedClient {
  const found = wanted.credentials.findLast((one) => 'record' in one && one.record.name === name);
  const stored = planned === undefined ? state.clients.get(name) : undefined;
  return {
    client: name,
    created: found?.kind === 'client',
    changed: found?.kind === 'record',
    stored: stored && { directory: stored.directory, expires: inspectCertificate(stored.cert).notAfter },
  };
}

export async function revokeClient(context: ActionContext, name: string, options: AccessOptions): Promise<Changed> {
  const { run, flags } = await openStoredRun(context, options);
  const rejectOthers = options.rejectOtherClients;
  const want = (state: StoreState, now: Date): Wanted => ({
    ...tellHosts(state, [revoked(state, name, now)], { flags, rejectOthers, now, unexplained: true }),
    mustReject: [name],
  });
  const question = () => `Revoke ${name} on every host? Its certificate cannot be restored.`;
  return change({ reason: 'client revoke', want, question }, run);
}

type About = {
  readonly flags: HostFlags;
  readonly rejectOthers: boolean;
  readonly now: Date;
  /** Every host changes, so none needs a reason. */
  readonly unexplained?: boolean;
};

/** The hosts whose trust file is outdated after the changes, with a reason for each. */
export function tellHosts(
  state: StoreState,
  credentials: readonly CredentialChange[],
  { flags, rejectOthers, now, unexplained = false }: About,
): Wanted {
  const view = preview(viewOf(state, now), credentials);
  const { trust, outdated, withoutClients, notes } = accessOf(state, view, { rejectOthers, now });
  const records = credentials.flatMap((one) => ('record' in one ? [one.record] : []));
  const unnamed = outdated.filter((host) => !records.some(({ hosts }) => hosts?.includes(host)));
  const names = records.map(({ name }) => name).join(', ');
  const hosts = unnamed.map((name) => state.hosts.get(name) as StoredHost);
  return {
    hosts: withTrust(recordedSpecs(outdated, state, flags), state, view, trust),
    credentials,
    target: { kind: 'desired', rejectOthers, addHardening: true },
    notes: [...notes, ...(unexplained ? [] : reasonsFor(hosts, view, `${names} must be rejected there`))],
    leftOut: withoutClients,
  };
}

export function askAboutHosts(wanted: Wanted): string | undefined {
  return wanted.hosts.length === 0 ? undefined : `Change which clients are accepted on ${nameHosts(specsOf(wanted))}?`;
}
