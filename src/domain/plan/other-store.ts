/**
 * Owns the question whether a host is in somebody else's care: set up by docker-tls, but from a store that shares nothing with ours, or from
 * ours by another name.
 */

import type { StoreState } from '../../adapters/store/records.ts';
import { DockerTlsError, printable } from '../../errors/errors.ts';
import { STATE } from '../dockerd/paths.ts';
import type { San } from '../pki/names.ts';
import { type HostFacts, installedCredentials } from './facts.ts';

/**
 * Who has the host in their care, in words; undefined where nobody has, or where we are. One certificate in common, of a CA or of what
 * we remember of the host's trust file, is enough to be ours: then those who get in now are known here.
 */
export function otherStore(
  facts: HostFacts,
  host: string,
  state: Pick<StoreState, 'ca' | 'oldCas' | 'issuers' | 'hosts'>,
): string | undefined {
  // Credentials of a change that nobody has confirmed go again by themselves.
  const installed = facts.transaction === undefined ? installedCredentials(facts) : undefined;
  if (facts.state === undefined && installed === undefined) return undefined;
  const known = state.hosts.get(host);
  if (installed === undefined && known !== undefined) return undefined;
  const ours = [state.ca, ...state.oldCas, ...state.issuers.values()].map((ca) => ca?.cert ?? '');
  const shared = new Set(certificates([...ours, known?.ca ?? '']));
  if (installed !== undefined && certificates([installed.ca]).some((cert) => shared.has(cert))) return undefined;
  const last = facts.state?.generations.at(-1);
  const who =
    last === undefined ? '' : `, last by ${printable(String(last.by), 100)} on ${printable(String(last.at), 40)}`;
  return `this host was set up from another store${who}; the clients of that store are shut out by this change`;
}

/** For a run in which nobody said that the host shall change hands. Exit 4. */
export function managedExternally(host: string, words: string): DockerTlsError {
  return new DockerTlsError({
    code: 'E_HOST_MANAGED',
    exit: 4,
    where: host,
    message: words,
    hints: [
      'use that store: --home DIRECTORY',
      'or let yourself be accepted by whoever has it: docker-tls client request NAME',
      'or take the host over: --take-over',
    ],
    details: [`its own records are ${STATE}/state.json`],
  });
}

/** The hosts of one run by the server certificate that each got last; a host may be reached by two ways that look different. */
export type Owners = Map<string, { readonly name: string; readonly sans: readonly San[] }>;

/**
 * The error (exit 4) for a host that another name of the same run stands for; undefined where it is itself alone. A copy of a host has its
 * certificate, but not its addresses.
 */
export function otherName(facts: HostFacts, host: string, owners: Owners): DockerTlsError | undefined {
  const installed = facts.transaction === undefined ? installedCredentials(facts) : undefined;
  const owner = installed === undefined ? undefined : owners.get(installed.cert);
  if (owner === undefined || owner.name === host) return undefined;
  const names = owner.sans.map(({ value }) => value);
  if (!facts.addresses.some(({ address }) => names.includes(address) && !/^(127\.|::1$)/.test(address))) {
    return undefined;
  }
  return new DockerTlsError({
    code: 'E_HOST_TWO_NAMES',
    exit: 4,
    where: host,
    message: `this is the host ${owner.name}, by another way: one host, two names, which would undo each other's work`,
    hints: [
      'take one of the two out of the fleet file',
      `if it shall have this name from now on: --limit ${host}, and take ${owner.name} out`,
    ],
  });
}

function certificates(bundles: readonly string[]): string[] {
  // What lies on the host may be anything: it is compared, not read.
  return bundles.flatMap((pem) => pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []);
}
