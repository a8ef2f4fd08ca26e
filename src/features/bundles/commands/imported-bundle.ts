/** Reading a client's credentials issued by another store: a bundle, PEM, or the secrets of a CI system. */

import { hostAndPort, nameOf } from '../../../core/domain/destination.ts';
import { checkName } from '../../../core/domain/names.ts';
import { inspectCertificate } from '../../../core/domain/pki/inspect.ts';
import { asWritten, DockerTlsError, usage } from '../../../errors/errors.ts';
import { type ClientBundle, parseBundleEnv, parsePemBundle, unpackBundle } from '../adapters/bundle.ts';

/**
 * A tar archive, lines NAME=VALUE as written by `client export --format env`, or PEM from any CA. `ca`: the hosts' CA (PEM), for a text
 * without it; `name`: the client's, default: the common name in its certificate. Fails with E_BUNDLE (exit 2).
 */
export function readBundle(data: Buffer, ca: string | undefined, name: string | undefined): ClientBundle {
  // POSIX ustar has its magic at offset 257 of the first header.
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
  throw new DockerTlsError(
    'E_BUNDLE',
    'this is neither a tar archive, nor PEM, nor lines with DOCKER_TLS_CA, DOCKER_TLS_CERT and DOCKER_TLS_KEY',
    {
      hints: [
        // DER, such as PKCS#12.
        ...(data[0] === 0x30 ? ['openssl pkcs12 -in FILE -nodes | docker-tls client import -'] : []),
        asWritten(
          text.includes('CERTIFICATE REQUEST-----')
            ? 'where the CA is: docker-tls client sign FILE --out OTHER'
            : 'where the client is: docker-tls client export NAME --out FILE',
        ),
      ],
    },
  );
}

const TCP = /^tcp:\/\/[^/]+:[0-9]{1,5}$/;

/** Hosts named next to the credentials, `tcp://address:port`. Fails with E_USAGE (exit 2). */
export function namedHosts(hosts: readonly string[]): ClientBundle['hosts'] {
  return hosts.map((host) => {
    if (TCP.test(host)) return { name: nameOf(hostAndPort(host)[0]), host };
    throw usage(`--host takes what DOCKER_HOST would be, not ${host}`, ['--host tcp://build-1.example.org:2376']);
  });
}

/** Credentials in the environment of a CI job; undefined without any. Fails with E_BUNDLE (exit 2). */
export function bundleOfEnvironment(env: Readonly<Record<string, string | undefined>>): ClientBundle | undefined {
  const credentials = parseBundleEnv(env);
  if (credentials === undefined) return undefined;
  const hosts = namedHosts([env.DOCKER_HOST ?? ''].filter((host) => TCP.test(host)));
  const subject = inspectCertificate(credentials.cert).subject;
  return { client: checkName('client', subject), hosts, ...credentials };
}
