/** A client's credentials as plain PEM from other tools: certificate, optionally with key, chain and CA, in any order. Pure. */

import { DockerTlsError } from '../../../errors/errors.ts';
import { inspectCertificate, splitBundle } from '../../domain/pki/inspect.ts';
import { isEncrypted, keyMatches } from '../../domain/pki/keys.ts';
import { pemBlocks } from '../../domain/pki/pem.ts';
import { Secret } from '../../domain/secret.ts';
import type { ClientBundle } from './bundle.ts';

type PemBundle = Pick<ClientBundle, 'ca' | 'cert' | 'key'>;

/**
 * The client's certificate is the one that matches the key, or else the first that is not a CA. `ca` (PEM): verifies the hosts'
 * certificates; default: the roots in the text. undefined: no certificate. Fails with E_BUNDLE (exit 2).
 */
export function parsePemBundle(text: string, ca?: string): PemBundle | undefined {
  const certificates = [...new Set(splitBundle(text))].map((pem) => ({ pem, info: inspectCertificate(pem) }));
  if (certificates.length === 0) return undefined;
  const keys = pemBlocks(text).blocks.filter(({ label }) => label.endsWith('PRIVATE KEY'));
  if (keys.length > 1) throw unusable('it holds several keys');
  const key = keys[0] === undefined ? undefined : new Secret(`${keys[0].text}\n`);
  if (key !== undefined && isEncrypted(key))
    throw unusable('its key is encrypted', ['openssl pkey -in FILE | cat - CERTIFICATES | docker-tls client import -']);
  const own = certificates.find(({ pem, info }) => (key === undefined ? !info.isCa : keyMatches(pem, key)));
  if (own === undefined)
    throw unusable(key === undefined ? 'it holds CAs alone' : 'its key belongs to none of its certificates');
  const roots =
    ca === undefined
      ? certificates.filter(({ info }) => info.selfIssued && info.isCa).map(({ pem }) => pem)
      : splitBundle(ca);
  if (roots.length === 0)
    throw unusable('the CA that hosts are verified against is not in it', [
      'docker-tls client import FILE --ca ca.pem',
    ]);
  const chain = certificates.filter((one) => one !== own && !roots.includes(one.pem)).map(({ pem }) => pem);
  return { ca: roots.join(''), cert: [own.pem, ...chain].join(''), key };
}

function unusable(why: string, hints: readonly string[] = ['openssl x509 -noout -text -in FILE']): DockerTlsError {
  return new DockerTlsError('E_BUNDLE', `these are not the credentials of one client: ${why}`, { hints });
}
