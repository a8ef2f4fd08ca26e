/**
 * The question whether another store manages a host: set up by docker-tls, but from a store that shares nothing with ours, or from
 * ours by another name.
 */

import { asWritten, DockerTlsError, printable } from '../../../errors/errors.ts';
import type { StoreState } from '../../adapters/store/records.ts';
import { destinationWords } from '../destination.ts';
import { STATE } from '../dockerd/paths.ts';
import { inspectCertificate } from '../pki/inspect.ts';
import { certificateTexts } from '../pki/pem.ts';
import { shellQuote } from '../quote.ts';
import type { HostSpec } from '../settings.ts';
import { type HostFacts, installedCredentials } from './facts.ts';
import type { StoreMark } from './host-state.ts';

type OurCertificates = Pick<StoreState, 'ca' | 'oldCas' | 'issuers' | 'hosts'>;

/**
 * Who manages the host, in words; undefined where no store does, or where this one does. One certificate in common, of a CA or of what
 * we remember of the host's trust file, is enough to be ours: then those who get in now are known here.
 */
export function otherStore(facts: HostFacts, host: string, state: OurCertificates): string | undefined {
  // Credentials of an unconfirmed change go again by themselves.
  const installed = facts.transaction === undefined ? installedCredentials(facts) : undefined;
  if (facts.state === undefined && installed === undefined) return undefined;
  const known = state.hosts.get(host);
  if (installed === undefined && known !== undefined) return undefined;
  const ours = [state.ca, ...state.oldCas, ...state.issuers.values()].map((ca) => ca?.cert ?? '');
  // What is on the host may be anything: it is compared, not read.
  const shared = new Set([...ours, known?.ca ?? ''].flatMap(certificateTexts));
  if (installed !== undefined && certificateTexts(installed.ca).some((cert) => shared.has(cert))) return undefined;
  const last = facts.state?.generations.at(-1);
  const who = last === undefined ? '' : `, last by ${printable(String(last.by), 100)} on ${timeOf(last.at)}`;
  return `this host was set up from another store${who}; the clients of that store are shut out by this change`;
}

/** For a run without consent that the host changes hands. Exit 4. */
export function managedExternally(host: string, words: string): DockerTlsError {
  return new DockerTlsError('E_HOST_MANAGED', words, {
    where: host,
    hints: [
      'use that store: --home DIRECTORY',
      'or ask its administrator for access: docker-tls client request NAME',
      'or take the host over: --take-over',
    ],
    details: [`its own records are ${STATE}/state.json`],
  });
}

/** Whether the host was changed from a newer state of this very store. */
export function isNewerThan(facts: HostFacts, mark: StoreMark | undefined): boolean {
  const kept = facts.state?.store;
  return mark !== undefined && kept !== undefined && kept.id === mark.id && kept.number > mark.number;
}

/**
 * What a host is to keep of the store that is at `mark`: the commit that records the change has a higher number. There is none where the
 * store has that generation already: a run ended after its commit, and the host rolled back by itself.
 */
export function markToKeep(
  mark: StoreMark | undefined,
  { generation }: { readonly generation: number | 'none' },
  known: { readonly record: { readonly generation?: number | undefined } } | undefined,
): StoreMark | undefined {
  return mark && { ...mark, number: mark.number + (known?.record.generation === generation ? 0 : 1) };
}

/** For a run that takes no host over. Exit 4. */
export function newerThanStore(host: string, { state }: HostFacts, mark: StoreMark | undefined): DockerTlsError {
  const last = state?.generations.at(-1);
  const who = last === undefined ? '' : `, by ${printable(last.by, 100)} on ${timeOf(last.at)}`;
  return new DockerTlsError(
    'E_HOST_NEWER',
    `this host was changed from commit ${state?.store?.number} of the store${who}, and the store is at commit ${mark?.number}`,
    {
      where: host,
      details: [
        'the store was restored from a backup, or an old state was put in its place: clients that were revoked since would be accepted again',
      ],
      hints: [
        asWritten('on the computer that used the store last: docker-tls store restore'),
        `if the newer state is lost for good: docker-tls apply ${host} --take-over`,
      ],
    },
  );
}

/** Hosts that are known here, by name: the server certificate (PEM) that each got last. */
export type KnownHosts = Map<string, string>;

/** The host's own record names it, or its certificate does; undefined where it is unknown here, or known by the name `host`. */
function knownName(facts: HostFacts, host: string, hosts: KnownHosts): string | undefined {
  const installed = facts.transaction === undefined ? installedCredentials(facts) : undefined;
  if (installed === undefined || hosts.get(host) === installed.cert) return undefined;
  const byCert = [...hosts].find(([, cert]) => cert === installed.cert)?.[0];
  const recorded = facts.state?.name;
  const name = byCert ?? (recorded !== undefined && hosts.has(recorded) ? recorded : undefined);
  return name === host ? undefined : name;
}

/**
 * The error (exit 4) for a host that is known here by another name: a second record would have its clients rejected. A copy of a host has
 * its certificate, but not its addresses: `takeOver` lets one become a host of its own. Another store's host is not compared.
 */
export function otherName(
  facts: HostFacts,
  { name: host, ssh }: Pick<HostSpec, 'name' | 'ssh'>,
  state: OurCertificates,
  dialled: string,
  { known: hosts, takeOver = false }: { readonly known: KnownHosts; readonly takeOver?: boolean },
): DockerTlsError | undefined {
  const name = knownName(facts, host, hosts);
  if (name === undefined || otherStore(facts, host, state) !== undefined) return undefined;
  const sans = inspectCertificate(hosts.get(name) ?? '').sans.map(({ value }) => value);
  const itself = facts.addresses.some(({ address }) => sans.includes(address) && !/^(127\.|::1$)/.test(address));
  if (takeOver && !itself) return undefined;
  const typed = shellQuote(destinationWords(ssh));
  return new DockerTlsError(
    'E_HOST_TWO_NAMES',
    `this host is already in the store as ${name}; a second record would reject the clients of the first`,
    {
      where: host,
      hints: hosts.has(host)
        ? [`drop one of the two records: docker-tls forget ${host}`, `then: docker-tls apply ${name}`]
        : [
            `use the name it has: docker-tls setup ${name}`,
            `or rename it: docker-tls rename ${name} ${host}`,
            `or, if it has moved here: docker-tls setup ${typed} --name ${name} --address ${shellQuote(dialled)}`,
            ...(itself
              ? []
              : [`or, if it is a copy of ${name} (a cloned disk): run the same command with --take-over`]),
          ],
    },
  );
}

/** What a host has as a time, to the second. */
function timeOf(at: unknown): string {
  return printable(String(at), 40).replace(/\.\d+Z$/, 'Z');
}
