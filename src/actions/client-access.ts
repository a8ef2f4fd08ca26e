/** Owns `client add`, `client sign` and `client revoke`: a change of clients, and of the hosts that have to hear of it. */

import type { ClientRecord, StoredHost, StoreState } from '../adapters/store/records.ts';
import { type HostFlags, specsFor } from '../domain/fleet/specs.ts';
import type { CaSpec, ClientSpec, HostSpec } from '../domain/settings.ts';
import { accessOf, reasonsFor } from '../domain/trust/access.ts';
import { certificateIds } from '../domain/trust/ca-id.ts';
import { type CredentialChange, firstCa, preview } from '../domain/trust/changes.ts';
import { admit, requireHosts, revoked, signed } from '../domain/trust/clients.ts';
import { isAccepted } from '../domain/trust/trust.ts';
import { trustedIds, viewOf } from '../domain/trust/view.ts';
import { nameHosts } from '../domain/words.ts';
import { change } from '../engine/change.ts';
import type { Changed, Run, Wanted } from '../engine/intent.ts';

export type AddRequest = {
  readonly clients: readonly ClientSpec[];
  /** What is said of clients that are there already. */
  readonly requested: Partial<Pick<ClientRecord, 'hosts' | 'days' | 'keyType'>>;
  /** For a CA that has to be made. */
  readonly ca: CaSpec;
  readonly flags: HostFlags;
  readonly rejectOthers: boolean;
};

export function addClients({ clients, requested, ca, ...about }: AddRequest, run: Run): Promise<Changed> {
  const want = (state: StoreState, now: Date): Wanted => {
    requireHosts(requested.hosts ?? [], state);
    const changes = clients.flatMap((spec) => admit(state, spec, requested, now).changes);
    return tellHosts(state, [...firstCa(state.ca, ca), ...changes], { ...about, now });
  };
  return change({ reason: 'client add', want, question: askAboutHosts }, run);
}

export type SignRequest = {
  readonly spec: ClientSpec;
  /** PEM. */
  readonly csr: string;
  readonly ca: CaSpec;
  readonly flags: HostFlags;
  readonly rejectOthers: boolean;
};

/** Hosts that would accept the client against its record are changed; those that do not accept it yet are left to `apply`. */
export function signClient({ spec, csr, ca, ...about }: SignRequest, run: Run): Promise<Changed> {
  const want = (state: StoreState, now: Date): Wanted => {
    requireHosts(spec.hosts ?? [], state);
    const one = signed(state, spec, csr, now);
    const wanted = tellHosts(state, [...firstCa(state.ca, ca), one], { ...about, now });
    const view = preview(viewOf(state, now), wanted.credentials);
    const ids = [...trustedIds(view), ...(view.issuers.get(spec.name)?.ids ?? [])];
    const isTrusted = ({ name }: HostSpec) =>
      certificateIds(state.hosts.get(name)?.ca ?? '').some((id) => ids.includes(id));
    const rejects = (host: HostSpec) => !isAccepted(one.record, host) && isTrusted(host);
    return wanted.hosts.some(rejects) ? wanted : { ...wanted, hosts: [], notes: [], leftOut: [] };
  };
  return change({ reason: 'client sign', want, question: askAboutHosts }, run);
}

export function revokeClient(
  name: string,
  about: { readonly flags: HostFlags; readonly rejectOthers: boolean },
  run: Run,
): Promise<Changed> {
  const want = (state: StoreState, now: Date): Wanted => ({
    ...tellHosts(state, [revoked(state, name, now)], { ...about, now, unexplained: true }),
    mustReject: [name],
  });
  const question = () => `Revoke ${name} on every host? Its certificate cannot be restored.`;
  return change({ reason: 'client revoke', want, question }, run);
}

type About = {
  readonly flags: HostFlags;
  readonly rejectOthers: boolean;
  readonly now: Date;
  /** Every host is meant: none needs a reason of its own. */
  readonly unexplained?: boolean;
};

/** The hosts whose trust file is outdated once the changes are made, and why each of them is changed. */
function tellHosts(
  state: StoreState,
  credentials: readonly CredentialChange[],
  { flags, rejectOthers, now, unexplained = false }: About,
): Wanted {
  const view = preview(viewOf(state, now), credentials);
  const { outdated, withoutClients, notes } = accessOf(state, view, { rejectOthers, now });
  const records = credentials.flatMap((one) => ('record' in one ? [one.record] : []));
  const unnamed = outdated.filter((host) => !records.some(({ hosts }) => hosts?.includes(host)));
  const names = records.map(({ name }) => name).join(', ');
  const hosts = unnamed.map((name) => state.hosts.get(name) as StoredHost);
  return {
    hosts: specsFor(outdated, state, flags),
    credentials,
    target: { kind: 'desired', rejectOthers, addHardening: true },
    notes: [...notes, ...(unexplained ? [] : reasonsFor(hosts, view, `${names} must be rejected there`))],
    leftOut: withoutClients,
  };
}

function askAboutHosts({ hosts }: Wanted): string | undefined {
  return hosts.length === 0 ? undefined : `Change which clients are accepted on ${nameHosts(hosts)}?`;
}
