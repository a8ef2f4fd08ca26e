/** Records of an imported client. Pure. */

import type { ReachedHost, StoreChange, StoredClient, StoreState } from '../../../core/adapters/store/records.ts';
import { hostAndPort } from '../../../core/domain/destination.ts';
import { checkName } from '../../../core/domain/names.ts';
import { inspectCertificate, splitBundle } from '../../../core/domain/pki/inspect.ts';
import { isKeyType } from '../../../core/domain/pki/key-types.ts';
import { keyMatches } from '../../../core/domain/pki/keys.ts';
import { renewal } from '../../../core/domain/pki/renewal.ts';
import type { Secret } from '../../../core/domain/secret.ts';
import { asWritten, DockerTlsError } from '../../../errors/errors.ts';
import type { ClientBundle } from '../adapters/bundle.ts';
import type { PendingRequest } from '../adapters/requests.ts';
import { clientExists } from './client-exists.ts';

export type ImportRequest = {
  readonly state: StoreState;
  readonly bundle: ClientBundle;
  /** Local keys that wait for certificates. */
  readonly pending: readonly PendingRequest[];
  /** Replaces the bundle's client name. */
  readonly name?: string;
  /** Replace another client of that name. */
  readonly replace: boolean;
  readonly now: Date;
};

type Imported = {
  readonly client: StoredClient;
  readonly change: StoreChange;
  /** Requests that this import answers. */
  readonly answers: readonly string[];
};

/**
 * Records to store. A bundle without a key needs the pending request for its certificate's key.
 * Fails (exit 2) with E_BUNDLE (expired), E_NO_REQUEST, E_CLIENT_EXISTS, E_NAME.
 */
export function importedClient({ state, bundle, pending, replace, now, ...options }: ImportRequest): Imported {
  const name = checkName('client', options.name ?? bundle.client);
  const info = inspectCertificate(bundle.cert);
  if (renewal({ notBefore: info.notBefore, notAfter: info.notAfter, now }).state === 'expired') {
    const renew = asWritten(`where it was issued: docker-tls rotate client ${bundle.client}`);
    const hints = [renew, `docker-tls client request ${name}`];
    const what = `the certificate in this bundle expired at ${info.notAfter.toISOString()}`;
    throw new DockerTlsError('E_BUNDLE', what, { where: name, hints });
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
    const [address, port] = hostAndPort(host.host);
    return { name: checkName('host', host.name), address, port: Number(port) };
  });
  // Plain credentials name no hosts: a renewal keeps the previous ones.
  const reaches = named.length > 0 ? named : (known?.record.reaches ?? []);
  // If this store issued it, its hosts are known already.
  const foreign = !issuedHere || replace;
  const client: StoredClient = {
    record: {
      ...known?.record,
      name,
      createdAt: known?.record.createdAt ?? time,
      updatedAt: time,
      days: Math.max(1, Math.floor(lifetime / 86_400_000)),
      keyType: isKeyType(info.keyType) ? info.keyType : 'p256',
      reaches: foreign ? reaches : undefined,
      hosts: foreign ? undefined : known.record.hosts,
      revokedAt: foreign ? undefined : known.record.revokedAt,
      ownKey: bundle.key === undefined && (answered.length > 0 || known?.record.ownKey) ? true : undefined,
    },
    ca: bundle.ca,
    cert: bundle.cert,
    key,
  };
  return {
    client,
    // If an imported client replaces one of ours, its issuing CA is removed too.
    change: { clients: { [name]: client }, removeIssuers: issuedHere && replace ? [name] : undefined },
    answers: answered.map((request) => request.name),
  };
}

/** This store issued the request and the certificate. */
function isAnswer(known: StoredClient, bundle: ClientBundle): boolean {
  return known.key === undefined && known.cert.trim() === bundle.cert.trim();
}

/** New credentials of the same client share a CA in their trust. Anything else could point its contexts to other hosts. */
function sameCa(known: StoredClient, bundle: ClientBundle): boolean {
  const before = new Set(splitBundle(known.ca));
  return splitBundle(bundle.ca).some((pem) => before.has(pem));
}

function noRequest(name: string, pending: readonly PendingRequest[]): DockerTlsError {
  const waiting = pending.map((request) => request.name).join(', ');
  const what = `there is no key in this bundle, and its certificate belongs to no request of this computer (${waiting || 'none waits'})`;
  const hints = [`docker-tls client request ${name}`, 'import it on the computer where the request was made'];
  return new DockerTlsError('E_NO_REQUEST', what, { where: name, hints });
}
