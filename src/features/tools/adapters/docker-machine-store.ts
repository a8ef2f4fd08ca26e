/** Reader of docker-machine's local store files (docker-machine.ts parses the records). Changes nothing. */

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { shellQuote } from '../../../core/domain/quote.ts';
import { Secret } from '../../../core/domain/secret.ts';
import { readNamedFile, whyNotRead } from '../../../core/named-file.ts';
import { DockerTlsError } from '../../../errors/errors.ts';
import { type DockerMachine, parseDockerMachine } from './docker-machine.ts';

/** PEM. */
export type MachineCredentials = {
  readonly ca: string;
  readonly caKey: Secret | undefined;
  readonly serverCert: string;
  readonly serverKey: Secret;
  readonly clientCert: string | undefined;
};

/** Names in docker-machine's store. Fails with E_DOCKER_MACHINE_STORE (exit 2) without one. */
export async function dockerMachineNames(storeDirectory: string): Promise<string[]> {
  const entries = await readdir(join(storeDirectory, 'machines'), { withFileTypes: true }).catch((cause: unknown) => {
    const what = 'there is no store of docker-machine here (no directory machines in it)';
    const hints = ['docker-tls import docker-machine --storage-path DIRECTORY', 'ls ~/.docker/machine/machines'];
    throw new DockerTlsError('E_DOCKER_MACHINE_STORE', what, { where: storeDirectory, hints, cause });
  });
  const directories = entries.filter((entry) => entry.isDirectory());
  return directories.map((entry) => entry.name).sort();
}

/** One machine. Fails like parseDockerMachine, and with E_DOCKER_MACHINE_STORE (exit 2) if its record is unreadable. */
export async function readDockerMachine(storeDirectory: string, name: string): Promise<DockerMachine> {
  const text = await readText(join(storeDirectory, 'machines', name, 'config.json'), name);
  return parseDockerMachine({ name, text, storeDirectory });
}

/** Fails with E_DOCKER_MACHINE_STORE (exit 2); the CA key and the client may be missing. */
export async function readMachineCredentials({ name, files }: DockerMachine): Promise<MachineCredentials> {
  const ifThere = (path: string) => readNamedFile(path).then(String, () => undefined);
  const ca = await readText(files.ca, name);
  const serverCert = await readText(files.serverCert, name);
  const serverKey = new Secret(await readText(files.serverKey, name));
  const caKey = await ifThere(files.caKey);
  const clientCert = await ifThere(files.clientCert);
  return { ca, caKey: caKey === undefined ? undefined : new Secret(caKey), serverCert, serverKey, clientCert };
}

function readText(path: string, where: string): Promise<string> {
  return readNamedFile(path).then(String, (cause: unknown) => {
    const what = `${path} cannot be read: ${whyNotRead(cause)}`;
    throw new DockerTlsError('E_DOCKER_MACHINE_STORE', what, { where, hints: [`ls -l ${shellQuote(path)}`], cause });
  });
}
