/** Certificates for tests, made by openssl and so independent of our own PKI: a CA, a server, a client, and those that must fail. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type Issued = {
  readonly cert: string;
  readonly key: string;
  readonly certFile: string;
  readonly keyFile: string;
  /** The further certificates of `cert`. */
  readonly chainFile?: string;
};

export type IssueOptions = {
  /** Omitted: signed by itself. */
  readonly by?: Issued;
  readonly ca?: boolean;
  readonly pathLen?: number;
  /** As in `subjectAltName = …`, for instance `DNS:localhost,IP:127.0.0.1`. */
  readonly san?: string;
  readonly usage?: 'serverAuth' | 'clientAuth' | 'serverAuth,clientAuth' | 'anyExtendedKeyUsage';
  /** Days from now at which validity begins and ends; default -1 and 30. */
  readonly from?: number;
  readonly to?: number;
  /** Key to use again (cross-signing). */
  readonly key?: Issued;
};

/** A temporary directory in which `issue` makes P-256 certificates; `remove` deletes it. */
export class CertificateFactory {
  readonly directory = mkdtempSync(join(tmpdir(), 'docker-tls-credentials-'));
  #count = 0;

  issue(commonName: string, options: IssueOptions = {}): Issued {
    this.#count += 1;
    const base = join(this.directory, `${this.#count}`);
    const keyFile = options.key?.keyFile ?? `${base}-key.pem`;
    const certFile = `${base}-cert.pem`;
    const extensions = [
      '[ext]',
      `basicConstraints = critical,CA:${options.ca ? 'TRUE' : 'FALSE'}${options.pathLen === undefined ? '' : `,pathlen:${options.pathLen}`}`,
      `keyUsage = critical,${options.ca ? 'keyCertSign,cRLSign' : 'digitalSignature'}`,
      'subjectKeyIdentifier = hash',
      ...(options.by === undefined ? [] : ['authorityKeyIdentifier = keyid']),
      ...(options.usage === undefined ? [] : [`extendedKeyUsage = ${options.usage}`]),
      ...(options.san === undefined ? [] : [`subjectAltName = ${options.san}`]),
    ];
    writeFileSync(`${base}.cnf`, `[req]\ndistinguished_name = dn\n[dn]\n${extensions.join('\n')}\n`);
    const key =
      options.key === undefined
        ? ['-newkey', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-noenc', '-keyout', keyFile]
        : ['-key', keyFile];
    const signer = options.by === undefined ? [] : ['-CA', options.by.certFile, '-CAkey', options.by.keyFile];
    // One process: tests make hundreds of certificates.
    openssl(
      ...[
        'req',
        '-x509',
        '-config',
        `${base}.cnf`,
        '-extensions',
        'ext',
        ...key,
        ...signer,
        '-subj',
        `/CN=${commonName}`,
      ],
      ...['-not_before', stamp(options.from ?? -1), '-not_after', stamp(options.to ?? 30), '-out', certFile],
    );
    return { cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8'), certFile, keyFile };
  }

  /** A paper whose certificate file holds a chain: its own, then the others. */
  chained(leaf: Issued, ...issuers: Issued[]): Issued {
    this.#count += 1;
    const base = join(this.directory, `${this.#count}-chain`);
    const cert = [leaf, ...issuers].map((credential) => credential.cert).join('');
    writeFileSync(`${base}.pem`, cert);
    writeFileSync(`${base}-rest.pem`, issuers.map((credential) => credential.cert).join(''));
    return { ...leaf, cert, certFile: `${base}.pem`, chainFile: `${base}-rest.pem` };
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

function stamp(days: number): string {
  return new Date(Date.now() + days * 86_400_000).toISOString().replace(/[-:T]|\.\d+/g, '');
}
