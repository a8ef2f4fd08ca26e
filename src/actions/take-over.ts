/**
 * Owns taking over hosts from docker-machine's store: hosts, their credentials, their CA, which stays trusted beside ours until `rotate ca`
 * drops it, and its client, which is in the records from then on. Nothing happens to a host here; the apply that follows finds credentials that
 * are good and adds our CA.
 */

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type DockerMachine, parseDockerMachine } from '../adapters/docker/docker-machine.ts';
import type { StoreChange, StoredClient, StoredHost, StoredOldCa, StoreState } from '../adapters/store/records.ts';
import { checkName } from '../domain/names.ts';
import { inspectCertificate, isFrom, splitBundle } from '../domain/pki/inspect.ts';
import { isKeyType } from '../domain/pki/key-types.ts';
import { keyMatches } from '../domain/pki/keys.ts';
import { shellQuote } from '../domain/quote.ts';
import { Secret } from '../domain/secret.ts';
import { CLIENT_DEFAULTS, complete, HOST_SETTINGS } from '../domain/settings.ts';
import { DockerTlsError, errnoOf } from '../errors/errors.ts';

export type TakenOver = {
  readonly hosts: readonly StoredHost[];
  /** CAs that were not known here, without those of hosts that cannot be taken. */
  readonly oldCas: readonly Omit<StoredOldCa, 'serial'>[];
  /** docker-machine's own clients, one for each of its CAs; their keys stay with docker-machine. */
  readonly clients: readonly TakenClient[];
  /** What could not be taken over, each with its reason. */
  readonly problems: readonly DockerTlsError[];
};

/** The CA that issued it is its issuing CA: docker-machine's CA has no other clients. */
export type TakenClient = { readonly name: string; readonly cert: string; readonly ca: string };

/** Names in docker-machine's store. Fails with E_DOCKER_MACHINE_STORE (exit 2) where there is none. */
export async function dockerMachineNames(storeDirectory: string): Promise<string[]> {
  const entries = await readdir(join(storeDirectory, 'machines'), { withFileTypes: true }).catch((cause: unknown) => {
    throw new DockerTlsError(
      'E_DOCKER_MACHINE_STORE',
      'there is no store of docker-machine here (no directory machines in it)',
      {
        where: storeDirectory,
        hints: ['docker-tls import docker-machine --storage-path DIRECTORY', 'ls ~/.docker/machine/machines'],
        cause,
      },
    );
  });
  return entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}

/** Reads the named hosts; each that cannot be read is a problem of its own. Changes nothing. */
export async function readDockerMachines(
  storeDirectory: string,
  names: readonly string[],
  { state, now }: { readonly state: StoreState; readonly now: Date },
): Promise<TakenOver> {
  const hosts: StoredHost[] = [];
  const cas = new Map<string, Omit<StoredOldCa, 'serial'>>();
  const clients: TakenClient[] = [];
  const known = new Set([state.ca?.cert, ...state.oldCas.map((old) => old.cert)].map((pem) => pem?.trim()));
  const problems: DockerTlsError[] = [];
  for (const name of names) {
    try {
      const text = await readText(join(storeDirectory, 'machines', name, 'config.json'), name);
      const found = parseDockerMachine({ name, text, storeDirectory });
      if (state.hosts.has(checkName('host', name))) throw alreadyHere(name);
      const { host, ca } = await credentialsOf(found, now);
      hosts.push(host);
      if (known.has(ca.cert.trim()) || cas.has(ca.cert)) continue;
      cas.set(ca.cert, ca);
      const cert = await clientCertOf(found, ca.cert, now);
      if (cert !== undefined) clients.push({ name: freeName(state, clients.length), cert, ca: ca.cert });
    } catch (error) {
      if (!(error instanceof DockerTlsError)) throw error;
      problems.push(error.where === undefined ? error.at(name) : error);
    }
  }
  return { hosts, oldCas: [...cas.values()], clients, problems };
}

/**
 * What is stored of it. `trusted`: the CAs of this store so far. Every client's own copy of them grows with it: with the one it has, it would
 * not know a host again whose certificate is still docker-machine's.
 */
export function takeOverChange(
  { hosts, oldCas, clients }: TakenOver,
  { state, trusted, now }: { readonly state: StoreState; readonly trusted: string; readonly now: Date },
): StoreChange & { readonly clients: Readonly<Record<string, StoredClient>> } {
  const ca = [trusted, ...oldCas.map((old) => old.cert)].join('');
  const time = now.toISOString();
  const own = [...state.clients.values()].filter(
    ({ record }) => record.reaches === undefined && record.revokedAt === undefined,
  );
  const taken = clients.map(({ name, cert }): StoredClient => {
    const { keyType } = inspectCertificate(cert);
    const record = { name, createdAt: time, updatedAt: time, days: CLIENT_DEFAULTS.days };
    return { record: { ...record, keyType: isKeyType(keyType) ? keyType : CLIENT_DEFAULTS.keyType }, ca, cert };
  });
  const known = own.map((client) => ({ ...client, ca }));
  return {
    hosts: Object.fromEntries(hosts.map((host) => [host.record.name, host])),
    oldCas,
    clients: Object.fromEntries([...known, ...taken].map((client) => [client.record.name, client])),
    issuers: Object.fromEntries(clients.map((client) => [client.name, { cert: client.ca }])),
  };
}

/** docker-machine's own client certificate; undefined where there is none that its CA would accept. */
async function clientCertOf({ files }: DockerMachine, ca: string, now: Date): Promise<string | undefined> {
  const cert = await readFile(files.clientCert, 'utf8').catch(() => '');
  try {
    return isFrom(cert, ca, 'client', now) ? cert : undefined;
  } catch {
    return undefined; // It opens no host, whatever it is.
  }
}

function freeName({ clients }: StoreState, taken: number): string {
  const names = [
    'docker-machine',
    ...Array.from({ length: clients.size + taken + 1 }, (_, n) => `docker-machine-${n + 2}`),
  ];
  return names.filter((name) => !clients.has(name))[taken] as string;
}

async function credentialsOf(
  found: DockerMachine,
  now: Date,
): Promise<{ host: StoredHost; ca: Omit<StoredOldCa, 'serial'> }> {
  const { name, files } = found;
  const caText = await readText(files.ca, name);
  const cert = splitBundle(caText)[0] ?? '';
  const serverCert = await readText(files.serverCert, name);
  const serverKey = new Secret(await readText(files.serverKey, name));
  if (cert === '' || !keyMatches(serverCert, serverKey)) {
    throw new DockerTlsError(
      'E_DOCKER_MACHINE_DAMAGED',
      "the credentials in docker-machine's store are not a CA and a server certificate with its key",
      {
        where: name,
        hints: [`ls -l ${shellQuote(files.ca)} ${shellQuote(files.serverCert)} ${shellQuote(files.serverKey)}`],
      },
    );
  }
  // With its key our CA can be signed by it as well, and clients that know only docker-machine's CA go on after a renewal.
  const caKey = await readFile(files.caKey, 'utf8').catch(() => undefined);
  const keyPem = caKey !== undefined && keyMatches(cert, new Secret(caKey)) ? new Secret(caKey) : undefined;
  const info = inspectCertificate(serverCert);
  const time = now.toISOString();
  return {
    ca: { cert, keyPem },
    host: {
      record: {
        ...complete(HOST_SETTINGS, {
          port: found.port,
          keyType: isKeyType(info.keyType) ? info.keyType : undefined,
        }),
        name,
        address: found.address,
        ssh: {
          destination: found.address,
          user: found.ssh.user,
          port: found.ssh.port,
          identities: found.ssh.keyFile === undefined ? undefined : [found.ssh.keyFile],
        },
        createdAt: time,
        updatedAt: time,
      },
      ca: cert,
      serverCert,
      serverKey,
    },
  };
}

async function readText(path: string, name: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new DockerTlsError('E_DOCKER_MACHINE_STORE', `${path} cannot be read: ${errnoOf(cause) ?? 'unknown'}`, {
      where: name,
      hints: [`ls -l ${shellQuote(path)}`],
      cause,
    });
  }
}

function alreadyHere(name: string): DockerTlsError {
  return new DockerTlsError('E_HOST_TAKEN', 'there is a host of this name in the store already', {
    where: name,
    hints: ['docker-tls status'],
  });
}
