/** Requirements of an imported CA, so that Docker and other verifiers accept its certificates. */

import type { NameConstraints } from '../../../core/domain/pki/constraints.ts';
import { children, isType, TAG } from '../../../core/domain/pki/der.ts';
import { inspectCertificate } from '../../../core/domain/pki/inspect.ts';
import { OID, shortName } from '../../../core/domain/pki/oids.ts';
import { parseCertificate, publicKeyInfo } from '../../../core/domain/pki/parse.ts';
import type { ErrorCode } from '../../../errors/catalogue.ts';
import { DockerTlsError } from '../../../errors/errors.ts';

/** A client's certificate has a URI without a host. Docker (Go) rejects it under any constraint on URIs. */
const URI = 6;
/** Go accepts RSA keys up to 8,192 bits. */
const RSA_BITS = { min: 2048, max: 8192 };

/**
 * All reasons that prevent issuing under a CA (PEM); empty: none. Errors (exit 2): E_CA_NOT_CA, E_CA_EXPIRED,
 * E_CA_NOT_YET_VALID, E_CA_SUBJECT, E_CA_USAGE, E_CA_EXTENSION, E_CA_NAMES, E_CA_KEY_TYPE. Throws E_CERT_DAMAGED.
 */
export function authorityFlaws(pem: string, now: Date): DockerTlsError[] {
  const { subject, notBefore, notAfter, extensions } = parseCertificate(pem);
  const { subject: name, keyType } = inspectCertificate(pem);
  const { keyUsage, extKeyUsage, unknownCritical, nameConstraints } = extensions;
  const flaws: (readonly [code: ErrorCode, message: string] | false | undefined)[] = [
    (!extensions.isCa || (keyUsage !== undefined && !keyUsage.includes('keyCertSign'))) && [
      'E_CA_NOT_CA',
      `the certificate of "${name}" may not sign other certificates`,
    ],
    now > notAfter && ['E_CA_EXPIRED', `the CA expired at ${notAfter.toISOString()}`],
    now < notBefore && ['E_CA_NOT_YET_VALID', `the CA is valid only from ${notBefore.toISOString()} on`],
    // SEQUENCE {}: RFC 5280 4.1.2.6 requires a name, since certificates below it contain it as their issuer.
    subject.der.length <= 2 && [
      'E_CA_SUBJECT',
      'the CA has no name (its subject is empty): nothing can be issued by it',
    ],
    extKeyUsage !== undefined &&
      !extKeyUsage.includes(OID.anyExtendedKeyUsage) &&
      !(extKeyUsage.includes(OID.serverAuth) && extKeyUsage.includes(OID.clientAuth)) && [
        'E_CA_USAGE',
        `the CA may certify ${extKeyUsage.map(shortName).join(', ')} only; serverAuth and clientAuth are needed`,
      ],
    unknownCritical.length > 0 && [
      'E_CA_EXTENSION',
      `the CA has critical extensions that verifiers do not know, and so refuse: ${unknownCritical.join(', ')}`,
    ],
    nameFlaw(nameConstraints),
    keyFlaw(pem, keyType),
  ];
  return flaws.flatMap((flaw) =>
    flaw ? [new DockerTlsError(flaw[0], flaw[1], { hints: ['openssl x509 -noout -text -in FILE'] })] : [],
  );
}

/** Warnings about strict verifiers; Docker accepts these CAs. `wholeChain`: clients get the CAs above it too. */
export function authorityWarnings(pem: string, wholeChain: boolean): string[] {
  const { keyUsage, selfIssued, subject } = inspectCertificate(pem);
  return [
    ...(keyUsage === null
      ? [`"${subject}" has no key usage: strict verifiers (Python 3.13 and later) refuse what it signs`]
      : []),
    ...(selfIssued || wholeChain
      ? []
      : [
          `"${subject}" is an intermediate CA: Node, dockerode, docker-py and openssl s_client refuse the ca.pem of its clients, which ends in it; docker and curl take it. For the others, import it with --chain and --whole-chain (docs/ca.md)`,
        ]),
  ];
}

function nameFlaw(constraints: ReturnType<typeof parseCertificate>['extensions']['nameConstraints']) {
  const flaw = constraints === undefined ? undefined : constraintFlaw(constraints);
  return flaw === undefined ? undefined : (['E_CA_NAMES', flaw] as const);
}

/** Reason that the constraints exclude all of our certificates; undefined: some are possible. */
function constraintFlaw({ permitted, excluded }: NameConstraints): string | undefined {
  if ([...permitted.other, ...excluded.other].includes(URI))
    return 'its name constraints are about URIs, and the certificates of clients have one that Docker (Go) refuses under them';
  if (permitted.other.length > 0 || excluded.other.length > 0)
    return 'its name constraints are about directory names or other kinds that Docker (Go) does not understand, and so refuses';
  const everyAddress = [4, 16].every((length) =>
    excluded.ip.some(([address, mask]) => address.length === length && mask.every((byte) => byte === 0)),
  );
  if (excluded.dns.includes('') && everyAddress) return 'its name constraints exclude every name and every address';
  return undefined;
}

function keyFlaw(pem: string, type: string): readonly [ErrorCode, string] | undefined {
  const bits = /^rsa(\d+)$/.exec(type)?.[1];
  const taken =
    bits !== undefined
      ? Number(bits) >= RSA_BITS.min && Number(bits) <= RSA_BITS.max
      : ['p256', 'p384', 'p521', 'ed25519'].includes(type);
  if (!taken)
    return [
      'E_CA_KEY_TYPE',
      `the CA has a key of type ${type}, which TLS clients refuse or do not know (Docker takes p256, p384, p521, ed25519, RSA of 2048 to 8192 bits)`,
    ];
  const parameters = children(children(publicKeyInfo(pem))[0])[1];
  if (type.startsWith('p') && !isType(parameters, TAG.oid))
    return [
      'E_CA_KEY_TYPE',
      'the CA spells the parameters of its curve out (explicit parameters), which Docker refuses: openssl ec -param_enc named_curve',
    ];
  return undefined;
}
