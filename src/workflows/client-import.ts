/** Owns the taking in of a client that was issued elsewhere: from a bundle, or from what a CI system keeps as secrets. */

import { nameOf } from '../config/destination.ts';
import { type ClientBundle, parseBundleEnv, unpackBundle } from '../docker/bundle.ts';
import { addressOf } from '../docker/diagnosis.ts';
import { DockerTlsError } from '../errors.ts';
import { inspectCertificate, splitBundle } from '../pki/inspect.ts';
import { isKeyType, keyMatches } from '../pki/keys.ts';
import { renewal } from '../pki/renewal.ts';
import type { Secret } from '../secret.ts';
import { checkName, type ReachedHost, type StoreChange, type StoredClient, type StoreState } from '../store/records.ts';
import type { PendingRequest } from '../store/requests.ts';
import { clientExists } from './client-refusals.ts';

/** A tar archive, or lines NAME=VALUE as `client export --format env` writes them. Fails with E_BUNDLE (exit 2). */
export function readBundle(data: Buffer): ClientBundle {
  // POSIX ustar has its magic at 257 of the first header.
  if (data.subarray(257, 262).toString('latin1') === 'ustar') return unpackBundle(data);
  const lines = data.toString('utf8').split(/\r?\n/);
  const env: Record<string, string> = {};
  for (const line of lines) {
    const match = /^(?:export )?(DOCKER_[A-Z_]+)=(["']?)(.*)\2$/.exec(line.trim());
    if (match) env[match[1] as string] = match[3] as string;
  }
  const bundle = bundleOfEnvironment(env);
  if (bundle !== undefined) return bundle;
  throw new DockerTlsError({
    code: 'E_BUNDLE',
    exit: 2,
    message: 'this is neither a tar archive nor lines with DOCKER_TLS_CA, DOCKER_TLS_CERT and DOCKER_TLS_KEY',
    hints: ['docker-tls client export NAME --out FILE'],
  });
}

/** What a job of a CI system finds in its environment; undefined where there are no papers. Fails with E_BUNDLE (exit 2). */
export function bundleOfEnvironment(env: Readonly<Record<string, string | undefined>>): ClientBundle | undefined {
  const papers = parseBundleEnv(env);
  if (papers === undefined) return undefined;
  const host = env.DOCKER_HOST ?? '';
  const hosts = /^tcp:\/\/[^/]+:[0-9]{1,5}$/.test(host) ? [{ name: nameOf(addressOf(host)[0]), host }] : [];
  const subject = inspectCertificate(papers.cert).subject;
  return { client: checkName('client', subject), hosts, ...papers };
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
      exit: 2,
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
  const reaches: ReachedHost[] = bundle.hosts.map((host) => {
    const [address, port] = addressOf(host.host);
    return { name: checkName('host', host.name), address, port: Number(port) };
  });
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
    },
    ca: bundle.ca,
    cert: bundle.cert,
    key,
  };
  return {
    client,
    // A client of our own that is replaced by a stranger takes its issuing CA along.
    change: { clients: { [name]: client }, ...(issuedHere && replace ? { removeIssuers: [name] } : {}) },
    answers: answered.map((request) => request.name),
  };
}

/** The request was made, and signed, in this very store. */
function isAnswer(known: StoredClient, bundle: ClientBundle): boolean {
  return known.key === undefined && known.cert.trim() === bundle.cert.trim();
}

/** New papers of the same client: some CA of its trust is the same. Anything else could lead its contexts to other hosts. */
function sameCa(known: StoredClient, bundle: ClientBundle): boolean {
  const before = new Set(splitBundle(known.ca));
  return splitBundle(bundle.ca).some((pem) => before.has(pem));
}

function noRequest(name: string, pending: readonly PendingRequest[]): DockerTlsError {
  const waiting = pending.map((request) => request.name).join(', ');
  return new DockerTlsError({
    code: 'E_NO_REQUEST',
    exit: 2,
    where: name,
    message: `there is no key in this bundle, and its certificate belongs to no request of this computer (${waiting || 'none waits'})`,
    hints: [`docker-tls client request ${name}`, 'import it on the computer where the request was made'],
  });
}
