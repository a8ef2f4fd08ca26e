/** Owns the import of a CA that another tool made: with its key, without it, or with the way in which it is asked to sign. */

import type { StoreChange, StoredCa, StoreState } from '../adapters/store/records.ts';
import { type CaToken, type ExternalCa, externalCaWords } from '../domain/external-ca.ts';
import { authorityFlaws, authorityWarnings } from '../domain/pki/authority.ts';
import { type CertificateInfo, inspectCertificate, splitBundle, verifyChain } from '../domain/pki/inspect.ts';
import { isKeyType } from '../domain/pki/key-types.ts';
import { decryptKey, encryptKey, isEncrypted, keyMatches, keyOpens } from '../domain/pki/keys.ts';
import { Secret } from '../domain/secret.ts';
import { caExists } from '../domain/trust/ca-refusals.ts';
import type { PassphraseSource } from '../engine/key-protection.ts';
import { tryToken } from '../engine/token.ts';
import type { ErrorCode } from '../errors/catalogue.ts';
import { DockerTlsError, DockerTlsErrors, usage } from '../errors/errors.ts';
import type { ActionContext } from './action-context.ts';
import { passphraseSource } from './ca-passphrase.ts';
import { type ExternalCaFlags, readCa } from './external-ca.ts';
import { readIn } from './files.ts';
import type { SecretOptions } from './secrets.ts';
import { storeOf } from './store.ts';

export type CaImportOptions = SecretOptions &
  ExternalCaFlags & {
    readonly cert: string | undefined;
    readonly key: string | undefined;
    readonly chain: string | undefined;
    readonly wholeChain: boolean;
    readonly tlsRoot: string | undefined;
    readonly pkcs11: string | undefined;
    readonly pinFile: string | undefined;
    readonly leafOnly: boolean;
  };

export type ImportedCa = Pick<CertificateInfo, 'subject' | 'fingerprint' | 'notAfter'> & {
  /** What signs from now on. */
  readonly issues: 'key' | 'token' | 'asked' | 'leaf-only' | 'external';
  /** Who is asked, in words. */
  readonly asked: string | undefined;
  readonly warnings: readonly string[];
};

/** Stores a CA of files, unless this is a dry run. Fails with E_USAGE, E_FILE, and as `caToStore` does. */
export async function importCa(context: ActionContext, options: CaImportOptions): Promise<ImportedCa> {
  const { global, runtime, prompts } = context;
  const { key, wholeChain, leafOnly } = options;
  if (options.cert === undefined) throw usage('--cert is missing', ['docker-tls ca import --cert FILE --key FILE']);
  const { cert, chain, external, token } = await readCa({ ...options, cert: options.cert }, runtime.cwd);
  if ([key, external, token].filter((one) => one !== undefined).length > 1)
    throw usage('give one of --key, --pkcs11, --sign-command, --step-ca, --cfssl and --vault', []);
  const files = { key: key === undefined ? undefined : new Secret(await readIn(key, runtime.cwd)), chain };
  const passphrase = passphraseSource(options, runtime, prompts);
  const store = storeOf(context);
  if (token !== undefined && !global.dryRun) await tryToken(cert, token, passphrase, runtime);
  return store.withLock('docker-tls ca import', async () => {
    const change = await caToStore({
      ...{ cert, wholeChain, passphrase, ...files },
      state: await store.read(),
      now: runtime.now(),
      ...{ external, token, leafOnly, noPassphrase: options.noCaPassphrase },
    });
    if (!global.dryRun) await store.write(change);
    const { subject, fingerprint, notAfter } = inspectCertificate(cert);
    const { record } = change.ca;
    const issues = issuesOf(change.ca);
    const warnings = authorityWarnings(cert, change.ca?.record.wholeChain === true);
    const asked = record?.external === undefined ? undefined : externalCaWords(record.external);
    return { subject, fingerprint, notAfter, issues, asked, warnings };
  });
}

function issuesOf(ca: StoreChange['ca']): ImportedCa['issues'] {
  if (ca?.keyPem !== undefined) return 'key';
  if (ca?.record.token !== undefined) return 'token';
  if (ca?.record.external === undefined) return 'external';
  return ca.record.leafOnly ? 'leaf-only' : 'asked';
}

type CaImport = {
  readonly state: StoreState;
  /** PEM, the CA first; further certificates count as its chain. */
  readonly cert: string;
  readonly key?: Secret;
  /** PEM of the CAs above it. */
  readonly chain?: string;
  /** Clients trust the chain as well, up to its root. */
  readonly wholeChain?: boolean;
  /** Who is asked where its key is on another machine. */
  readonly external?: ExternalCa;
  /** Where its key is, if that is in a token. */
  readonly token?: CaToken;
  /** It makes no issuing CAs for clients. */
  readonly leafOnly?: boolean;
  /** The keys of clients' issuing CAs are stored without a passphrase. */
  readonly noPassphrase?: boolean;
  readonly passphrase: PassphraseSource;
  readonly now: Date;
};

/**
 * What is stored. Its key is kept under the passphrase it has, or a new one. The same CA again may add its key or the way in which it is asked; another
 * CA cannot take the place of one that hosts or clients know, only of one that was imported and never used.
 * Fails (exit 2) as authorityFlaws does, and with E_CERT_DAMAGED, E_CA_CHAIN, E_CA_KEY, E_KEY_…, E_CA_EXISTS.
 */
export async function caToStore(request: CaImport): Promise<{ readonly ca: StoredCa }> {
  const { state, key, passphrase, now } = request;
  const [cert = '', ...above] = splitBundle(request.cert);
  const info = inspectCertificate(request.cert);
  const flaws = authorityFlaws(cert, now);
  if (flaws.length > 0) throw flaws.length === 1 ? flaws[0] : new DockerTlsErrors(flaws);
  const chain = [...above, ...splitBundle(request.chain ?? '')];
  if (chain.length > 0) {
    const verdict = verifyChain({ leaf: cert, intermediates: chain, anchors: chain, purpose: 'server', now });
    // A purpose is a leaf's; of a CA only the way up is asked.
    if (!verdict.ok && verdict.reason !== 'wrong-purpose')
      throw caError('E_CA_CHAIN', `the chain does not lead up from the CA: ${verdict.message}`);
  }
  if (request.wholeChain && !chain.some((pem) => inspectCertificate(pem).selfIssued))
    throw caError('E_CA_CHAIN', '--whole-chain needs the CAs above this one, up to the root', [
      'docker-tls ca import --cert FILE --key FILE --chain ROOT.pem --whole-chain',
    ]);
  const same = state.ca !== undefined && splitBundle(state.ca.cert)[0] === cert;
  if (state.ca !== undefined && !same && !neverUsed(state)) throw caExists();
  const kept = key === undefined ? (same ? state.ca?.keyPem : undefined) : await protectedKey(cert, key, passphrase);
  const before = same ? state.ca?.record : undefined;
  const token = request.token ?? (request.external === undefined && kept === undefined ? before?.token : undefined);
  if ((kept !== undefined || token !== undefined) && info.pathLen === 0) {
    throw caError(
      'E_CA_PATHLEN',
      'this CA may sign leaf certificates only (its path length is 0), so clients could not have issuing CAs of their own',
      ['have it asked instead, without --key: --sign-command COMMAND'],
    );
  }
  const external = request.external ?? (token === undefined ? before?.external : undefined);
  const leafOnly = request.leafOnly || (request.external === undefined && before?.leafOnly);
  return {
    ca: {
      cert,
      keyPem: kept,
      record: {
        name: info.subject,
        createdAt: before?.createdAt ?? now.toISOString(),
        keyType: isKeyType(info.keyType) ? info.keyType : 'p256',
        days: Math.max(1, Math.round((info.notAfter.getTime() - info.notBefore.getTime()) / 86_400_000)),
        imported: true,
        external,
        // A path length of 0 allows no CA below it: that needs no attempt.
        leafOnly: (external !== undefined && (leafOnly || info.pathLen === 0)) || undefined,
        token,
        noPassphrase:
          ((external ?? token) !== undefined && (request.noPassphrase || before?.noPassphrase)) || undefined,
        chain: chain.length === 0 ? undefined : chain.join(''),
        wholeChain: request.wholeChain || undefined,
      },
    },
  };
}

/** Nothing was ever issued by the CA of the store, which was made by another tool. */
function neverUsed({ ca, oldCas, issuers, hosts, clients }: StoreState): boolean {
  const own = [...clients.values()].filter(({ record }) => record.reaches === undefined);
  return ca?.record.imported === true && oldCas.length + issuers.size + hosts.size + own.length === 0;
}

/** The key, tried against its certificate, under our own encryption. */
async function protectedKey(cert: string, key: Secret, passphrase: PassphraseSource): Promise<Secret> {
  const words = isEncrypted(key)
    ? await passphrase.forExistingCa((given) => keyOpens(key, given))
    : await passphrase.forNewCa();
  // Read and written again: whatever else is in the file (attributes, parameters, certificates) is no part of the key.
  const open = await decryptKey(key, isEncrypted(key) ? words : undefined);
  if (!keyMatches(cert, open)) throw caError('E_CA_KEY', 'the key does not belong to the certificate of the CA');
  return words === undefined ? open : encryptKey(open, words);
}

function caError(code: ErrorCode, message: string, hints: readonly string[] = []): DockerTlsError {
  return new DockerTlsError(code, message, {
    hints: hints.length > 0 ? hints : ['openssl x509 -noout -text -in FILE'],
  });
}
