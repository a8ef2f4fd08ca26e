/** Detection of hosts managed by another docker-tls store, or by this store under another name. */

import { DockerTlsError, printable } from '../../../errors/errors.ts';
import type { StoreState } from '../../adapters/store/records.ts';
import { offeredCommands } from '../../seams/offered-commands.ts';
import { destinationWords } from '../destination.ts';
import { STATE } from '../dockerd/paths.ts';
import { inspectCertificate } from '../pki/inspect.ts';
import { certificateTexts } from '../pki/pem.ts';
import { shellQuote } from '../quote.ts';
import type { HostSpec } from '../settings.ts';
import { type HostFacts, installedCredentials } from './facts.ts';
import { timeOfHost } from './host-state.ts';

type OurCertificates = Pick<StoreState, 'ca' | 'oldCas' | 'issuers' | 'hosts'>;

/**
 * Description of the other store that manages a host; undefined if none does, or if this store does. One shared certificate (of a CA, or of
 * the recorded trust file) makes the host ours: this store then knows the clients that have access.
 */
export function otherStore(facts: HostFacts, host: string, state: OurCertificates): string | undefined {
  // Credentials of an unconfirmed change disappear with its rollback.
  const installed = facts.transaction === undefined ? installedCredentials(facts) : undefined;
  if (facts.state === undefined && installed === undefined) return undefined;
  const known = state.hosts.get(host);
  if (installed === undefined && known !== undefined) return undefined;
  const ours = [state.ca, ...state.oldCas, ...state.issuers.values()].map((ca) => ca?.cert ?? '');
  // The host's content is untrusted: it is compared, not parsed.
  const shared = new Set([...ours, known?.ca ?? ''].flatMap(certificateTexts));
  if (installed !== undefined && certificateTexts(installed.ca).some((cert) => shared.has(cert))) return undefined;
  const last = facts.state?.generations.at(-1);
  const who = last === undefined ? '' : `, last by ${printable(String(last.by), 100)} on ${timeOfHost(last.at)}`;
  return `this host was set up from another store${who}; the clients of that store are shut out by this change`;
}

/** Exit 4: the run lacks consent to take over the host. */
export function managedExternally(host: string, words: string): DockerTlsError {
  return new DockerTlsError('E_HOST_MANAGED', words, {
    where: host,
    hints: [
      'use that store: --home DIRECTORY',
      ...offeredCommands('request', 'NAME').map((one) => `or ask its administrator for access: ${one}`),
      'or take the host over: --take-over',
    ],
    details: [`its own records are ${STATE}/state.json`],
  });
}

/** Stored hosts: name → last issued server certificate (PEM). */
export type KnownHosts = Map<string, string>;

/** Stored name of the host, by its own record or its certificate; undefined if unknown, or if it is `host`. */
function knownName(facts: HostFacts, host: string, hosts: KnownHosts): string | undefined {
  const installed = facts.transaction === undefined ? installedCredentials(facts) : undefined;
  if (installed === undefined || hosts.get(host) === installed.cert) return undefined;
  const byCert = [...hosts].find(([, cert]) => cert === installed.cert)?.[0];
  const recorded = facts.state?.name;
  const name = byCert ?? (recorded !== undefined && hosts.has(recorded) ? recorded : undefined);
  return name === host ? undefined : name;
}

/**
 * Error (exit 4) for a host stored under another name: a second record would reject its clients. A clone shares the certificate but not
 * the addresses; `takeOver` makes a clone a separate host. Hosts of other stores are not compared.
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
