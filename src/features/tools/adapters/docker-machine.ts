/**
 * Parser of docker-machine's store: one `machines/NAME/config.json` (its version 3, written by docker-machine 0.5.6 to 0.16) as typed data.
 * Pure: the caller reads the files. Field names are those of docker/machine: libmachine/host, auth, engine, drivers.
 */

import { join } from 'node:path';
import { at, type Fields, isObject, parseJson } from '../../../core/domain/json.ts';
import { parseSan } from '../../../core/domain/pki/san.ts';
import { shellQuote } from '../../../core/domain/quote.ts';
import { DockerTlsError } from '../../../errors/errors.ts';

export type DockerMachine = {
  readonly name: string;
  readonly address: string;
  /** The daemon's TLS port. */
  readonly port: number;
  /** Without a key file, docker-machine used the ssh agent. */
  readonly ssh: { readonly user: string; readonly port: number; readonly keyFile?: string };
  /** Local absolute paths. */
  readonly files: {
    readonly ca: string;
    readonly caKey: string;
    readonly serverCert: string;
    readonly serverKey: string;
    readonly clientCert: string;
  };
};

export type DockerMachineFile = {
  /** Name of its directory in `machines`. */
  readonly name: string;
  /** Content of config.json. */
  readonly text: string;
  /** Present path of the store (the directory with `machines` and `certs`): paths in a moved or copied store are adjusted to it. */
  readonly storeDirectory: string;
};

/**
 * One machine of docker-machine. Errors (exit 2): E_DOCKER_MACHINE_DAMAGED (with the field), E_DOCKER_MACHINE_VERSION (older than
 * 3: docker-machine itself upgrades it), E_DOCKER_MACHINE_ADDRESS (no address, as for a machine that was never started).
 */
export function parseDockerMachine(file: DockerMachineFile): DockerMachine {
  const value = parseJson(file.text);
  if (value === undefined) throw damaged(file, 'it is not JSON');
  const root = new Reader(file, value, '');
  const version = root.number('ConfigVersion', 0);
  if (version !== 3) throw wrongVersion(file, version);
  const name = root.text('Name') ?? file.name;
  if (name !== file.name) throw damaged(file, `Name is ${JSON.stringify(name)}, its directory is not`);
  const driver = root.object('Driver');
  const options = root.object('HostOptions');
  const auth = options.object('AuthOptions');
  const address = driver.text('IPAddress');
  if (address === undefined) throw noAddress(file);
  if (!isDialled(address)) throw damaged(file, `Driver.IPAddress is not a name or address: ${JSON.stringify(address)}`);
  const oldStore = driver.text('StorePath');
  const path = (recorded: string | undefined, ...fallback: string[]): string =>
    recorded === undefined ? join(file.storeDirectory, ...fallback) : rebase(recorded, oldStore, file.storeDirectory);
  const keyFile = driver.text('SSHKeyPath');
  return {
    name,
    address,
    port: driver.port('EnginePort', 2376),
    ssh: {
      user: driver.text('SSHUser') ?? 'root',
      port: driver.port('SSHPort', 22),
      keyFile: keyFile === undefined ? undefined : path(keyFile),
    },
    files: {
      ca: path(auth.text('CaCertPath'), 'certs', 'ca.pem'),
      caKey: path(auth.text('CaPrivateKeyPath'), 'certs', 'ca-key.pem'),
      serverCert: path(auth.text('ServerCertPath'), 'machines', name, 'server.pem'),
      serverKey: path(auth.text('ServerKeyPath'), 'machines', name, 'server-key.pem'),
      clientCert: path(auth.text('ClientCertPath'), 'certs', 'cert.pem'),
    },
  };
}

function isDialled(address: string): boolean {
  try {
    return !parseSan(address).value.startsWith('*');
  } catch {
    return false;
  }
}

/** Typed fields of one JSON object; Go writes an empty text or zero for unset ones. */
class Reader {
  readonly #file: DockerMachineFile;
  readonly #fields: Fields;
  readonly #path: string;

  constructor(file: DockerMachineFile, value: unknown, path: string) {
    if (!isObject(value)) {
      throw damaged(file, path === '' ? 'it is not a JSON object' : `${path} is missing or not an object`);
    }
    this.#file = file;
    this.#fields = value;
    this.#path = path;
  }

  object(field: string): Reader {
    return new Reader(this.#file, this.#own(field), this.#at(field));
  }

  text(field: string): string | undefined {
    const value = this.#own(field) ?? '';
    if (typeof value !== 'string') throw damaged(this.#file, `${this.#at(field)} is not text`);
    if (/[\u0000-\u001f\u007f]/.test(value)) throw damaged(this.#file, `${this.#at(field)} holds control characters`);
    return value === '' ? undefined : value;
  }

  number(field: string, missing: number): number {
    const value = this.#own(field) ?? missing;
    if (typeof value !== 'number' || !Number.isSafeInteger(value))
      throw damaged(this.#file, `${this.#at(field)} is not a whole number`);
    return value;
  }

  /** Go writes 0 for an unset port. */
  port(field: string, missing: number): number {
    const port = this.number(field, 0) || missing;
    if (port < 1 || port > 65_535) throw damaged(this.#file, `${this.#at(field)} is not a port`);
    return port;
  }

  #own(field: string): unknown {
    return at(this.#fields, field);
  }

  #at(field: string): string {
    return this.#path === '' ? field : `${this.#path}.${field}`;
  }
}

/** Converts a path below the original store to the present one; other paths stay. Windows paths may use either slash. */
function rebase(path: string, oldStore: string | undefined, storeDirectory: string): string {
  if (oldStore === undefined) return path;
  const plain = (text: string): string => text.replaceAll('\\', '/').replace(/\/+$/, '');
  const within = `${plain(oldStore)}/`;
  if (!plain(path).startsWith(within)) return path;
  const steps = plain(path).slice(within.length).split('/');
  return steps.includes('..') ? path : join(storeDirectory, ...steps);
}

function place(file: DockerMachineFile): string {
  return join(file.storeDirectory, 'machines', file.name, 'config.json');
}

function damaged(file: DockerMachineFile, why: string): DockerTlsError {
  return new DockerTlsError(
    'E_DOCKER_MACHINE_DAMAGED',
    `docker-machine's record of ${file.name} cannot be read: ${why}`,
    { where: place(file), hints: [`python3 -m json.tool ${shellQuote(place(file))}`] },
  );
}

function wrongVersion(file: DockerMachineFile, version: number): DockerTlsError {
  return new DockerTlsError(
    'E_DOCKER_MACHINE_VERSION',
    `docker-machine's record of ${file.name} has version ${version}, not 3`,
    { where: place(file), hints: [`docker-machine inspect ${shellQuote(file.name)}`] },
  );
}

function noAddress(file: DockerMachineFile): DockerTlsError {
  return new DockerTlsError(
    'E_DOCKER_MACHINE_ADDRESS',
    `docker-machine has no address for ${file.name}: it was never started, or is stopped`,
    { where: place(file), hints: [`docker-machine start ${shellQuote(file.name)}`, 'docker-tls setup HOST'] },
  );
}
