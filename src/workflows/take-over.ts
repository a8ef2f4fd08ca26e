/**
 * Owns taking over hosts from docker-machine's store: hosts, their papers, and their CA, which stays trusted beside ours until
 * `rotate ca` drops it. Nothing happens to a host here; the apply that follows finds papers that are good and adds our CA.
 */

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DEFAULTS } from '../config/spec.ts';
import { shellQuote } from '../daemon/quote.ts';
import { type DockerMachine, parseDockerMachine } from '../docker/docker-machine.ts';
import { DockerTlsError } from '../errors.ts';
import { inspectCertificate, splitBundle } from '../pki/inspect.ts';
import { isKeyType, keyMatches } from '../pki/keys.ts';
import { Secret } from '../secret.ts';
import { checkName, type StoreChange, type StoredHost, type StoredOldCa, type StoreState } from '../store/records.ts';

export type TakenOver = {
  readonly hosts: readonly StoredHost[];
  /** CAs that were not known here, without those of hosts that can not be taken. */
  readonly oldCas: readonly Omit<StoredOldCa, 'serial'>[];
  /** What could not be taken over, each with its reason. */
  readonly problems: readonly DockerTlsError[];
};

/** Names in docker-machine's store. Fails with E_DOCKER_MACHINE_STORE (exit 2) where there is none. */
export async function dockerMachineNames(storeFolder: string): Promise<string[]> {
  const entries = await readdir(join(storeFolder, 'machines'), { withFileTypes: true }).catch((cause: unknown) => {
    throw new DockerTlsError({
      code: 'E_DOCKER_MACHINE_STORE',
      exit: 2,
      where: storeFolder,
      message: 'there is no store of docker-machine here (no folder machines in it)',
      hints: ['docker-tls import docker-machine --storage-path FOLDER', 'ls ~/.docker/machine/machines'],
      cause,
    });
  });
  return entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}

/** Reads the named hosts; each that can not be read is a problem of its own. Changes nothing. */
export async function readDockerMachines(
  storeFolder: string,
  names: readonly string[],
  { state, now }: { readonly state: StoreState; readonly now: Date },
): Promise<TakenOver> {
  const hosts: StoredHost[] = [];
  const cas = new Map<string, Omit<StoredOldCa, 'serial'>>();
  const known = new Set([state.ca?.cert, ...state.oldCas.map((old) => old.cert)].map((pem) => pem?.trim()));
  const problems: DockerTlsError[] = [];
  for (const name of names) {
    try {
      const text = await readText(join(storeFolder, 'machines', name, 'config.json'), name);
      const found = parseDockerMachine({ name, text, storeFolder });
      if (state.hosts.has(checkName('host', name))) throw alreadyHere(name);
      const { host, ca } = await papersOf(found, now);
      hosts.push(host);
      if (!known.has(ca.cert.trim())) cas.set(ca.cert, ca);
    } catch (error) {
      if (!(error instanceof DockerTlsError)) throw error;
      problems.push(error.where === undefined ? error.at(name) : error);
    }
  }
  return { hosts, oldCas: [...cas.values()], problems };
}

/** What is stored of it. */
export function takeOverChange({ hosts, oldCas }: TakenOver): StoreChange {
  return { hosts: Object.fromEntries(hosts.map((host) => [host.record.name, host])), oldCas };
}

async function papersOf(
  found: DockerMachine,
  now: Date,
): Promise<{ host: StoredHost; ca: Omit<StoredOldCa, 'serial'> }> {
  const { name, files } = found;
  const caText = await readText(files.ca, name);
  const cert = splitBundle(caText)[0] ?? '';
  const serverCert = await readText(files.serverCert, name);
  const serverKey = new Secret(await readText(files.serverKey, name));
  if (cert === '' || !keyMatches(serverCert, serverKey)) {
    throw new DockerTlsError({
      code: 'E_DOCKER_MACHINE_DAMAGED',
      exit: 2,
      where: name,
      message: 'the papers in docker-machine’s store are no CA and server certificate with its key',
      hints: [`ls -l ${shellQuote(files.ca)} ${shellQuote(files.serverCert)} ${shellQuote(files.serverKey)}`],
    });
  }
  // With its key our CA can be signed by it as well, and clients that know only docker-machine's CA go on after a renewal.
  const caKey = await readFile(files.caKey, 'utf8').catch(() => undefined);
  const keyPem = caKey !== undefined && keyMatches(cert, new Secret(caKey)) ? new Secret(caKey) : undefined;
  const info = inspectCertificate(serverCert);
  const time = now.toISOString();
  return {
    ca: { cert, ...(keyPem ? { keyPem } : {}) },
    host: {
      record: {
        name,
        address: found.address,
        port: found.port,
        ssh: {
          destination: found.address,
          user: found.ssh.user,
          port: found.ssh.port,
          ...(found.ssh.keyFile === undefined ? {} : { identities: [found.ssh.keyFile] }),
        },
        sans: [],
        keyType: isKeyType(info.keyType) ? info.keyType : DEFAULTS.keyType,
        days: DEFAULTS.days,
        containers: 'keep',
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
    throw new DockerTlsError({
      code: 'E_DOCKER_MACHINE_STORE',
      exit: 2,
      where: name,
      message: `${path} can't be read: ${(cause as NodeJS.ErrnoException).code ?? 'unknown'}`,
      hints: [`ls -l ${shellQuote(path)}`],
      cause,
    });
  }
}

function alreadyHere(name: string): DockerTlsError {
  return new DockerTlsError({
    code: 'E_HOST_EXISTS',
    exit: 2,
    where: name,
    message: 'there is a host of this name in the store already',
    hints: ['docker-tls status'],
  });
}
