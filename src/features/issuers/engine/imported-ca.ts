/** CA of another tool, checked for a store. Its key is encrypted with its own passphrase or a new one. */

import type { StoredCa, StoreState } from '../../../core/adapters/store/records.ts';
import type { CaSigner } from '../../../core/domain/external-ca.ts';
import { inspectCertificate, splitBundle, verifyChain } from '../../../core/domain/pki/inspect.ts';
import { isKeyType } from '../../../core/domain/pki/key-types.ts';
import { decryptKey, encryptKey, isEncrypted, keyMatches, tryPassphrase } from '../../../core/domain/pki/keys.ts';
import type { Secret } from '../../../core/domain/secret.ts';
import type { PassphraseSource } from '../../../core/engine/key-protection.ts';
import type { ErrorCode } from '../../../errors/catalogue.ts';
import { DockerTlsError, DockerTlsErrors } from '../../../errors/errors.ts';
import { authorityFlaws } from '../domain/authority.ts';
import { caExists } from '../domain/named-ca.ts';

/** A CA and its signer: the external CA to ask if the key is on another machine, or the token that holds the key. */
type CaToImport = CaSigner & {
  /** PEM, the CA first; further certificates count as its chain. */
  readonly cert: string;
  /** PEM of the CAs above it. */
  readonly chain?: string | undefined;
  /** Clients also trust the chain, up to its root. */
  readonly wholeChain?: boolean;
  /** The CA signs no issuing CAs for clients. */
  readonly leafOnly?: boolean;
  /** Keys of clients' issuing CAs are stored without a passphrase. */
  readonly noPassphrase?: boolean;
};

type CaImport = CaToImport & {
  readonly state: StoreState;
  readonly key?: Secret | undefined;
  readonly passphrase: PassphraseSource;
  readonly now: Date;
};

/**
 * The CA to store. Its key is encrypted with its current passphrase or a new one. Importing the same CA again may add its key or its
 * signer. Another CA cannot replace one that hosts or clients know, only one that was imported and never used. Fails (exit 2) as
 * authorityFlaws does, and with E_CERT_DAMAGED, E_CA_CHAIN, E_CA_KEY, E_KEY_…, E_CA_EXISTS.
 */
export async function caToStore(request: CaImport): Promise<StoredCa> {
  const { state, key, passphrase, now } = request;
  const [cert = '', ...above] = splitBundle(request.cert);
  const info = inspectCertificate(request.cert);
  const flaws = authorityFlaws(cert, now);
  if (flaws.length > 0) throw flaws.length === 1 ? flaws[0] : new DockerTlsErrors(flaws);
  const chain = [...above, ...splitBundle(request.chain ?? '')];
  if (chain.length > 0) {
    const verdict = verifyChain({ leaf: cert, intermediates: chain, anchors: chain, purpose: 'server', now });
    // Only leaf certificates have a purpose; for a CA only the path to the root counts.
    if (!verdict.ok && verdict.reason !== 'wrong-purpose')
      throw caError('E_CA_CHAIN', `the chain does not lead up from the CA: ${verdict.message}`);
  }
  if (request.wholeChain && !chain.some((pem) => inspectCertificate(pem).selfIssued))
    throw caError('E_CA_CHAIN', '--whole-chain needs the CAs above this one, up to the root', [
      'docker-tls ca import --cert FILE --key FILE --chain ROOT.pem --whole-chain',
    ]);
  const same = state.ca !== undefined && splitBundle(state.ca.cert)[0] === cert;
  if (state.ca !== undefined && !same && !neverUsed(state)) throw caExists();
  const kept =
    key === undefined ? (same ? state.ca?.keyPem : undefined) : await protectedKey(info.subject, cert, key, passphrase);
  const before = same ? state.ca?.record : undefined;
  const token = request.token ?? (request.external === undefined && kept === undefined ? before?.token : undefined);
  if ((kept !== undefined || token !== undefined) && info.pathLen === 0) {
    throw caError(
      'E_CA_PATHLEN',
      'this CA may sign leaf certificates only (its path length is 0), so it cannot sign an issuing CA for each client',
      ['have it asked instead, without --key: --sign-command COMMAND'],
    );
  }
  const external = request.external ?? (token === undefined ? before?.external : undefined);
  const leafOnly = request.leafOnly || (request.external === undefined && before?.leafOnly);
  return {
    cert,
    keyPem: kept,
    record: {
      name: info.subject,
      createdAt: before?.createdAt ?? now.toISOString(),
      keyType: isKeyType(info.keyType) ? info.keyType : 'p256',
      days: Math.max(1, Math.round((info.notAfter.getTime() - info.notBefore.getTime()) / 86_400_000)),
      imported: true,
      external,
      // A path length of 0 allows no CA below it, without an attempt.
      leafOnly: (external !== undefined && (leafOnly || info.pathLen === 0)) || undefined,
      token,
      noPassphrase: ((external ?? token) !== undefined && (request.noPassphrase || before?.noPassphrase)) || undefined,
      chain: chain.length === 0 ? undefined : chain.join(''),
      wholeChain: request.wholeChain || undefined,
    },
  };
}

/** Whether the store's CA was imported and has never issued anything. */
function neverUsed({ ca, oldCas, issuers, hosts, clients }: StoreState): boolean {
  const own = [...clients.values()].filter(({ record }) => record.reaches === undefined);
  return ca?.record.imported === true && oldCas.length + issuers.size + hosts.size + own.length === 0;
}

/** The key, checked against its certificate and encrypted by us. */
async function protectedKey(name: string, cert: string, key: Secret, passphrase: PassphraseSource): Promise<Secret> {
  let typed: Secret | undefined;
  const opens = async (given: Secret) => {
    typed = await tryPassphrase(key, given);
    return typed !== undefined;
  };
  const words = isEncrypted(key) ? await passphrase.forExistingCa(opens, { name }) : await passphrase.forNewCa();
  // Decrypted and rewritten, because other parts of the file (attributes, parameters, certificates) do not belong to the key.
  const open = typed ?? (await decryptKey(key, isEncrypted(key) ? words : undefined));
  if (!keyMatches(cert, open)) throw caError('E_CA_KEY', 'the key does not belong to the certificate of the CA');
  return words === undefined ? open : encryptKey(open, words);
}

function caError(code: ErrorCode, message: string, hints: readonly string[] = []): DockerTlsError {
  return new DockerTlsError(code, message, {
    hints: hints.length > 0 ? hints : ['openssl x509 -noout -text -in FILE'],
  });
}
