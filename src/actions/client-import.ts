/** Owns the import of a client that another store issued: from a bundle, or from what a CI system keeps as secrets. */

import { type ClientBundle, parseBundleEnv, unpackBundle } from '../adapters/docker/bundle.ts';
import { addressOf } from '../adapters/docker/diagnosis.ts';
import { parsePemBundle } from '../adapters/docker/pem-bundle.ts';
import type { ReachedHost, StoreChange, StoredClient, StoreState } from '../adapters/store/records.ts';
import type { PendingRequest } from '../adapters/store/requests.ts';
import { nameOf } from '../domain/destination.ts';
import { checkName } from '../domain/names.ts';
import { inspectCertificate, splitBundle } from '../domain/pki/inspect.ts';
import { isKeyType } from '../domain/pki/key-types.ts';
import { keyMatches } from '../domain/pki/keys.ts';
import { renewal } from '../domain/pki/renewal.ts';
import type { Secret } from '../domain/secret.ts';
import { clientExists } from '../domain/trust/client-refusals.ts';
import { DockerTlsError } from '../errors/errors.ts';

export type BundleReading = {
  /** PEM of the CA, for a text that does not hold it. */
  readonly ca?: string;
  /** The client's name, where the credentials do not say it; default: the common name in the certificate. */
  readonly name?: string;
};

/**
 * A tar archive, lines NAME=VALUE as `client export --format env` writes them, or PEM as any CA hands it out.
 * Fails with E_BUNDLE (exit 2).
 */
export function readBundle(data: Buffer, { ca, name }: BundleReading = {}): ClientBundle {
  // POSIX ustar has its magic at 257 of the first header.
  if (data.subarray(257, 262).toString('latin1') === 'ustar') return unpackBundle(data);
  const text = data.toString('utf8');
  const credentials = text.includes('-----BEGIN ') ? parsePemBundle(text, ca) : undefined;
  if (credentials !== undefined)
    return {
      client: name ?? checkName('client', inspectCertificate(credentials.cert).subject),
      hosts: [],
      ...credentials,
    };
  const env: Record<string, string> = {};
  for (const line of text.split(/\r?\n/)) {
    const match = /^(?:export )?(DOCKER_[A-Z_]+)=(["']?)(.*)\2$/.exec(line.trim());
    if (match) env[match[1] as string] = match[3] as string;
  }
  const bundle = bundleOfEnvironment(env);
  if (bundle !== undefined) return bundle;
  throw new DockerTlsError({
    code: 'E_BUNDLE',
    message: 'this is neither a tar archive, nor PEM, nor lines with DOCKER_TLS_CA, DOCKER_TLS_CERT and DOCKER_TLS_KEY',
    hints: [
      // DER, as PKCS#12 is.
      ...(data[0] === 0x30 ? ['openssl pkcs12 -in FILE -nodes | docker-tls client import -'] : []),
      'docker-tls client export NAME --out FILE',
    ],
  });
}

/** Hosts that are named beside the credentials, `tcp://address:port`. Fails with E_USAGE (exit 2). */
export function namedHosts(hosts: readonly string[]): ClientBundle['hosts'] {
  return hosts.map((host) => {
    if (/^tcp:\/\/[^/]+:[0-9]{1,5}$/.test(host)) return { name: nameOf(addressOf(host)[0]), host };
    throw new DockerTlsError({
      code: 'E_USAGE',
      message: `--host takes what DOCKER_HOST would be, not ${host}`,
      hints: ['--host tcp://build-1.example.org:2376'],
    });
  });
}

/** What a job of a CI system finds in its environment; undefined where there are no credentials. Fails with E_BUNDLE (exit 2). */
export function bundleOfEnvironment(env: Readonly<Record<string, string | undefined>>): ClientBundle | undefined {
  const credentials = parseBundleEnv(env);
  if (credentials === undefined) return undefined;
  const host = env.DOCKER_HOST ?? '';
  const hosts = /^tcp:\/\/[^/]+:[0-9]{1,5}$/.test(host) ? [{ name: nameOf(addressOf(host)[0]), host }] : [];
  const subject = inspectCertificate(credentials.cert).subject;
  return { client: checkName('client', subject), hosts, ...credentials };
}

export type ImportRequest = {
  readonly state: StoreState;
  readonly bundle: ClientBundle;
  /** Keys that wait for their certificates here. */
  readonly pending: readonly PendingRequest[];
  /** Another name than the bundle's. */
  readonly name?: string;
  /** Take the place of another client of that name. */
  readonly replace: boolean;
  readonly now: Date;
};

export type Imported = {
  readonly client: StoredClient;
  readonly change: StoreChange;
  /** Requests that are answered by this. */
  readonly answers: readonly string[];
};

/**
 * What an import stores. A bundle without a key needs the request whose key it certifies.
 * Fails (exit 2) with E_BUNDLE (expired), E_NO_REQUEST, E_CLIENT_EXISTS, E_NAME.
 */
export function importClient({ state, bundle, pending, replace, now, ...options }: ImportRequest): Imported {
  const name = checkName('client', options.name ?? bundle.client);
  const info = inspectCertificate(bundle.cert);
  if (renewal({ notBefore: info.notBefore, notAfter: info.notAfter, now }).state === 'expired') {
    throw new DockerTlsError({
      code: 'E_BUNDLE',
      where: name,
      message: `the certificate in this bundle expired at ${info.notAfter.toISOString()}`,
      hints: [`where it was issued: docker-tls rotate client ${bundle.client}`, `docker-tls client request ${name}`],
    });
  }
  const known = state.clients.get(name);
  const answered = pending.filter((request) => keyMatches(bundle.cert, request.key));
  const held = known?.key !== undefined && keyMatches(bundle.cert, known.key) ? known.key : undefined;
  const key: Secret | undefined = bundle.key ?? answered[0]?.key ?? held;
  if (key === undefined) throw noRequest(name, pending);
  const issuedHere = known !== undefined && known.record.reaches === undefined;
  if (known !== undefined && !replace && !(issuedHere ? isAnswer(known, bundle) : sameCa(known, bundle)))
    throw clientExists(name, `docker-tls client import FILE --name ${name}-2`);
  const time = now.toISOString();
  const lifetime = info.notAfter.getTime() - info.notBefore.getTime();
  const named = bundle.hosts.map((host): ReachedHost => {
    const [address, port] = addressOf(host.host);
    return { name: checkName('host', host.name), address, port: Number(port) };
  });
  // Plain credentials name no host: a renewal is for those of before.
  const reaches = named.length > 0 ? named : (known?.record.reaches ?? []);
  const client: StoredClient = {
    record: {
      ...known?.record,
      name,
      createdAt: known?.record.createdAt ?? time,
      updatedAt: time,
      days: Math.max(1, Math.floor(lifetime / 86_400_000)),
      keyType: isKeyType(info.keyType) ? info.keyType : 'p256',
      // Where the same store has issued it, its hosts are known already.
      ...(issuedHere && !replace ? {} : { reaches, hosts: undefined, revokedAt: undefined }),
      ownKey: bundle.key === undefined && (answered.length > 0 || known?.record.ownKey) ? true : undefined,
    },
    ca: bundle.ca,
    cert: bundle.cert,
    key,
  };
  return {
    client,
    // A client of our own that is replaced by an untrusted client takes its issuing CA along.
    change: { clients: { [name]: client }, removeIssuers: issuedHere && replace ? [name] : undefined },
    answers: answered.map((request) => request.name),
  };
}

/** The request was made, and signed, in this very store. */
function isAnswer(known: StoredClient, bundle: ClientBundle): boolean {
  return known.key === undefined && known.cert.trim() === bundle.cert.trim();
}

/** New credentials of the same client: some CA of its trust is the same. Anything else could lead its contexts to other hosts. */
function sameCa(known: StoredClient, bundle: ClientBundle): boolean {
  const before = new Set(splitBundle(known.ca));
  return splitBundle(bundle.ca).some((pem) => before.has(pem));
}

function noRequest(name: string, pending: readonly PendingRequest[]): DockerTlsError {
  const waiting = pending.map((request) => request.name).join(', ');
  return new DockerTlsError({
    code: 'E_NO_REQUEST',
    where: name,
    message: `there is no key in this bundle, and its certificate belongs to no request of this computer (${waiting || 'none waits'})`,
    hints: [`docker-tls client request ${name}`, 'import it on the computer where the request was made'],
  });
}
