/** Hosts, CAs and clients from docker-machine's store, and the records made of them. Pure. */

import type {
  StoreChange,
  StoredClient,
  StoredHost,
  StoredOldCa,
  StoreState,
} from '../../../core/adapters/store/records.ts';
import { inspectCertificate, isFrom, splitBundle } from '../../../core/domain/pki/inspect.ts';
import { isKeyType, type KeyType } from '../../../core/domain/pki/key-types.ts';
import { keyMatches } from '../../../core/domain/pki/keys.ts';
import { shellQuote } from '../../../core/domain/quote.ts';
import { CLIENT_DEFAULTS, completeSettings, HOST_SETTINGS } from '../../../core/domain/settings.ts';
import { activeClients } from '../../../core/domain/trust/clients.ts';
import { DockerTlsError } from '../../../errors/errors.ts';
import type { DockerMachine } from '../adapters/docker-machine.ts';
import type { MachineCredentials } from '../adapters/docker-machine-store.ts';

export type TakenOver = {
  readonly hosts: readonly StoredHost[];
  /** CAs new to this store, without those of rejected hosts. */
  readonly oldCas: readonly TakenCa[];
  /** docker-machine's own clients, one per CA; their keys stay with docker-machine. */
  readonly clients: readonly TakenClient[];
};
export type TakenCa = Omit<StoredOldCa, 'serial'>;

/** `clientCert`: the file's content, unverified. */
export type FoundHost = { readonly host: StoredHost; readonly ca: TakenCa; readonly clientCert: string };

/** Its issuing CA is docker-machine's CA: that has no other clients. */
export type TakenClient = { readonly name: string; readonly cert: string; readonly ca: string };

/** A host's record. Fails with E_DOCKER_MACHINE_DAMAGED (exit 2) for invalid credentials, and with E_KEY_… . */
export function foundHost(
  { name, address, port, ssh: { user, port: sshPort, keyFile }, files }: DockerMachine,
  { ca, caKey, serverCert, serverKey, clientCert = '' }: MachineCredentials,
  now: Date,
): FoundHost {
  const cert = splitBundle(ca)[0] ?? '';
  if (cert === '' || !keyMatches(serverCert, serverKey)) {
    const what = "the credentials in docker-machine's store are not a CA and a server certificate with its key";
    const paths = [files.ca, files.serverCert, files.serverKey].map(shellQuote).join(' ');
    throw new DockerTlsError('E_DOCKER_MACHINE_DAMAGED', what, { where: name, hints: [`ls -l ${paths}`] });
  }
  const time = now.toISOString();
  const record = {
    ...completeSettings(HOST_SETTINGS, { port, keyType: keyTypeOf(serverCert) }),
    name,
    address,
    ssh: { destination: address, user, port: sshPort, identities: keyFile === undefined ? undefined : [keyFile] },
    createdAt: time,
    updatedAt: time,
  };
  // With this key the CA can cross-sign ours, so clients that know only docker-machine's CA keep access after a renewal.
  const keyPem = caKey !== undefined && keyMatches(cert, caKey) ? caKey : undefined;
  return { host: { record, ca: cert, serverCert, serverKey }, ca: { cert, keyPem }, clientCert };
}

/** Hosts with their CAs that are new to this store, and the client of each CA. */
export function takenOver(found: readonly FoundHost[], state: StoreState, now: Date): TakenOver {
  const known = new Set([state.ca, ...state.oldCas].map((one) => one?.cert.trim()));
  const cas = new Map<string, TakenCa>();
  const clients: TakenClient[] = [];
  for (const { ca, clientCert: cert } of found) {
    if (known.has(ca.cert.trim()) || cas.has(ca.cert)) continue;
    cas.set(ca.cert, ca);
    if (opens(cert, ca.cert, now)) clients.push({ name: freeName(state, clients.length), cert, ca: ca.cert });
  }
  return { hosts: found.map(({ host }) => host), oldCas: [...cas.values()], clients };
}

/** Undefined for a key type that docker-tls does not create. */
function keyTypeOf(cert: string): KeyType | undefined {
  const { keyType } = inspectCertificate(cert);
  return isKeyType(keyType) ? keyType : undefined;
}

/** True for a client certificate that its CA would accept; others are ignored, since they open no host. */
function opens(cert: string, ca: string, now: Date): boolean {
  try {
    return isFrom(cert, ca, 'client', now);
  } catch {
    return false;
  }
}

function freeName({ clients }: StoreState, taken: number): string {
  const numbered = Array.from({ length: clients.size + taken + 1 }, (_, n) => `docker-machine-${n + 2}`);
  return ['docker-machine', ...numbered].filter((name) => !clients.has(name))[taken] as string;
}

/**
 * The change to the store. `trusted`: CAs of this store so far. Every client's copy of the CAs grows too: with the old copy it would reject
 * a host that still has docker-machine's certificate.
 */
export function takeOverChange(
  { hosts, oldCas, clients }: TakenOver,
  { state, trusted, now }: { readonly state: StoreState; readonly trusted: string; readonly now: Date },
): StoreChange & { readonly clients: Readonly<Record<string, StoredClient>> } {
  const ca = [trusted, ...oldCas.map((old) => old.cert)].join('');
  const time = now.toISOString();
  const taken = clients.map(({ name, cert }): StoredClient => {
    const { days, keyType } = CLIENT_DEFAULTS;
    const record = { name, createdAt: time, updatedAt: time, days, keyType: keyTypeOf(cert) ?? keyType };
    return { record, ca, cert };
  });
  const known = activeClients(state).map((client) => ({ ...client, ca }));
  return {
    hosts: Object.fromEntries(hosts.map((host) => [host.record.name, host])),
    oldCas,
    clients: Object.fromEntries([...known, ...taken].map((client) => [client.record.name, client])),
    issuers: Object.fromEntries(clients.map((client) => [client.name, { cert: client.ca }])),
  };
}
