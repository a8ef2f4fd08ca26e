/** Certificates of our PKI for tests of the listener: hosts, clients of each kind, and clients of another CA. */

import { createHash, X509Certificate } from 'node:crypto';
import {
  issueCa,
  issueClient,
  issueClientAuthority,
  issueServer,
} from '../../../../src/core/domain/pki/certificate.ts';
import { parseSan } from '../../../../src/core/domain/pki/san.ts';

export type TestCredentials = { readonly cert: string; readonly key: string };

const now = new Date();
const days = 30;

/** A CA, its host, and clients by name, each with its issuing CA. */
export async function certificatesFor(names: readonly string[]) {
  const ca = await issueCa({ name: 'docker-tls', days: 90, now });
  const server = await issueServer({ ca, sans: [parseSan('localhost')], days, now });
  const authorities = await Promise.all(
    names.map((clientName) => issueClientAuthority({ ca, clientName, days: 60, now })),
  );
  const clients = await Promise.all(
    authorities.map(async (authority, index) => {
      const { cert, key } = await issueClient({ authority, name: names[index] as string, days, now });
      return [names[index] as string, { cert, key: key.revealText() }] as const;
    }),
  );
  return {
    ca,
    server: { cert: server.cert, key: server.key.revealText() },
    authorities: authorities.map(({ leaf }) => leaf),
    chains: authorities.map(({ leaf }) => chainHash(leaf)),
    clients: new Map<string, TestCredentials>(clients),
  };
}

/** A client that `ca` signed itself, without an issuing CA. */
export async function directClient(ca: Parameters<typeof issueClient>[0]['authority'], name: string, when = now) {
  const { leaf, key } = await issueClient({ authority: ca, name, days, now: when });
  return { cert: leaf, key: key.revealText() };
}

export function commonNameOf(pem: string): string {
  return /^CN=(.*)$/m.exec(new X509Certificate(pem).subject)?.[1] ?? '';
}

/** SHA-256 of a chain of one certificate. */
export function chainHash(pem: string): string {
  return createHash('sha256').update(new X509Certificate(pem).raw).digest('hex').toUpperCase();
}
