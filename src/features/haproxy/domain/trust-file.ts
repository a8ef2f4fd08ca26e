/** HAProxy's form of a host's credentials, beside that of dockerd. */

import { SERVER_FILES } from '../../../core/domain/dockerd/paths.ts';
import { certificateTexts, derOf, pemEncode } from '../../../core/domain/pki/pem.ts';
import type { CredentialFile } from '../../../core/seams/change-parts.ts';

/** HAProxy derives the key's name from that of the certificate, and trusts each CA by itself. */
export function credentialFiles(ca: string): readonly CredentialFile[] {
  return [
    { name: `${SERVER_FILES.cert}.key`, to: SERVER_FILES.key },
    { name: 'ca-trusted.pem', text: trustedForClients(ca) },
  ];
}

/** X509_CERT_AUX of OpenSSL: trusted for clientAuth. */
const TRUSTED_FOR_CLIENTS = Buffer.from('300c300a06082b06010505070302', 'hex');

/**
 * The certificates in OpenSSL's form for trusted ones (openssl-x509(1), "Trust settings"). OpenSSL accepts a chain that ends in such a CA,
 * also if it is an intermediate one, as Go does with every CA in its list.
 */
export function trustedForClients(pem: string): string {
  return certificateTexts(pem)
    .map((block) => pemEncode('TRUSTED CERTIFICATE', Buffer.concat([derOf(block), TRUSTED_FOR_CLIENTS])))
    .join('');
}
