/** `ca import`: a CA of your own, including intermediate CAs and CAs with an external key. */

import { type CommandResult, defineCommand } from '../../../cli/command.ts';
import { FILE, PASSPHRASE_OPTIONS } from '../../../cli/host-options.ts';
import type { ActionContext } from '../../../core/actions/action-context.ts';
import { passphraseSource } from '../../../core/actions/ca-passphrase.ts';
import type { SecretOptions } from '../../../core/actions/given-secrets.ts';
import { readIn } from '../../../core/actions/input-output.ts';
import { storeOf } from '../../../core/actions/open-store.ts';
import type { StoredCa } from '../../../core/adapters/store/records.ts';
import { externalCaWords } from '../../../core/domain/external-ca.ts';
import { type CertificateInfo, inspectCertificate } from '../../../core/domain/pki/inspect.ts';
import { Secret } from '../../../core/domain/secret.ts';
import { storeSettings } from '../../../core/domain/store-settings.ts';
import { type Issuing, issuingOf } from '../../../core/domain/trust/view.ts';
import { dateWords } from '../../../core/domain/words.ts';
import type { RenderContext } from '../../../core/render/change-result.ts';
import { usage } from '../../../errors/errors.ts';
import { type CaFiles, readCa } from '../actions/ca-files.ts';
import { withNamedFiles } from '../adapters/named-files.ts';
import { authorityWarnings } from '../domain/authority.ts';
import { caToStore } from '../engine/imported-ca.ts';
import { tryToken } from '../engine/token.ts';
import { ISSUER_TOPICS } from '../help-topics.ts';

export type CaImportDocument = {
  readonly subject: string;
  readonly fingerprint: string;
  readonly notAfter: Date;
  /** What issues from now on; `external`: nothing here. */
  readonly issues: 'key' | 'token' | 'signer' | 'leaf-only' | 'external';
  readonly warnings: readonly string[];
  readonly dryRun?: true;
};

export const command = defineCommand({
  scope: ['changes', 'store'],
  about: 'With --key this store issues, as with a CA it made itself; without it, nothing can be issued here.',
  examples: [
    'docker-tls ca import --cert ca.pem --key ca-key.pem',
    'docker-tls ca import --cert intermediate.pem --key intermediate-key.pem --chain root.pem --whole-chain',
  ],
  topics: ISSUER_TOPICS,
  args: {},
  options: {
    cert: { ...FILE, summary: 'its certificate (PEM)' },
    key: { ...FILE, summary: 'its private key (PEM)' },
    chain: { ...FILE, summary: 'the CAs above an intermediate one (PEM)' },
    wholeChain: {
      kind: 'flag',
      summary: "put that chain into clients' ca.pem too, for Node, Python and OpenSSL (docs/ca.md)",
    },
    pkcs11: {
      topics: ['pkcs11'],
      kind: 'text',
      value: 'URI',
      summary: 'its private key in a token or KMS (RFC 7512)',
    },
    pinFile: { topics: ['pkcs11'], ...FILE, summary: 'PIN of that token (default: a prompt)' },
    signCommand: {
      topics: ['sign-command'],
      kind: 'text',
      value: 'COMMAND',
      summary: 'signs requests; split into words, no shell',
    },
    stepCa: { topics: ['step-ca'], kind: 'text', value: 'URL', summary: 'ask step-ca to sign' },
    cfssl: { topics: ['cfssl'], kind: 'text', value: 'URL', summary: 'ask cfssl serve to sign' },
    vault: {
      topics: ['vault'],
      kind: 'text',
      value: 'URL',
      summary: 'ask Vault or OpenBao; with the mount: https://HOST:8200/v1/pki',
    },
    profile: {
      topics: ['step-ca', 'cfssl', 'vault', 'sign-command'],
      kind: 'list',
      value: 'USE=NAME',
      summary: "the CA's own name for server, client or issuer",
    },
    credentialFile: {
      topics: ['step-ca', 'cfssl', 'vault'],
      ...FILE,
      summary: 'provisioner key, authentication key or token for the CA',
    },
    passphraseFile: { topics: ['step-ca'], ...FILE, summary: 'passphrase of an encrypted provisioner key' },
    tlsRoot: {
      topics: ['step-ca', 'cfssl', 'vault'],
      ...FILE,
      summary: 'the CA of its API (default: the imported CA and its chain)',
    },
    leafOnly: {
      topics: ['step-ca', 'cfssl', 'vault', 'sign-command'],
      kind: 'flag',
      summary: 'the CA signs no CAs: dockerd cannot reject its clients one by one',
    },
    caPassphraseFile: PASSPHRASE_OPTIONS.caPassphraseFile,
    noCaPassphrase: PASSPHRASE_OPTIONS.noCaPassphrase,
  },
  run: async (context) => renderImportedCa(await importCa(context, context.options), context),
});

type CaImportOptions = SecretOptions &
  Partial<CaFiles> & { readonly key: string | undefined; readonly wholeChain: boolean; readonly leafOnly: boolean };

type ImportedCa = Pick<CertificateInfo, 'subject' | 'fingerprint' | 'notAfter'> & {
  /** The signer from now on. */
  readonly issues: 'key' | 'token' | Exclude<Issuing, 'here'>;
  /** The external CA that signs, in words. */
  readonly signer: string | undefined;
  readonly warnings: readonly string[];
};

/** Stores a CA from files, unless this is a dry run. Fails with E_USAGE, E_FILE, and as `caToStore` does. */
async function importCa(context: ActionContext, options: CaImportOptions): Promise<ImportedCa> {
  const { global, runtime, prompts } = context;
  const { cert, wholeChain, leafOnly, noCaPassphrase: noPassphrase } = options;
  if (cert === undefined) return nameFiles(context, options);
  const files = await readCa({ ...options, cert }, runtime.cwd);
  const { token } = files;
  if ([options.key, files.external, token].filter((one) => one !== undefined).length > 1)
    throw usage('give one of --key, --pkcs11, --sign-command, --step-ca, --cfssl and --vault', []);
  const key = options.key === undefined ? undefined : new Secret(await readIn(options.key, runtime.cwd));
  const passphrase = passphraseSource(options, runtime, prompts);
  const store = storeOf(context);
  if (token !== undefined && !global.dryRun) await tryToken(files.cert, token, passphrase, runtime);
  return store.withLock('docker-tls ca import', async () => {
    const about = { state: await store.read(), now: runtime.now(), passphrase };
    const ca = await caToStore({ ...files, key, wholeChain, leafOnly, noPassphrase, ...about });
    if (!global.dryRun) await store.write({ ca });
    const settings = storeSettings(ca.record);
    if (!global.dryRun && settings !== undefined) await store.accept(settings.id);
    return importedCa(ca);
  });
}

/** Without --cert: the files of this computer that the CA of the store needs. */
async function nameFiles(context: ActionContext, options: CaImportOptions): Promise<ImportedCa> {
  const { global, runtime } = context;
  const store = storeOf(context);
  return store.withLock('docker-tls ca import', async () => {
    const { key, chain, signCommand, stepCa, cfssl, vault, tlsRoot, profile = [] } = options;
    const others = [key, chain, signCommand, stepCa, cfssl, vault, tlsRoot, ...profile].some(
      (one) => one !== undefined,
    );
    const ca = others ? undefined : withNamedFiles((await store.read()).ca, options, runtime.cwd);
    if (ca === undefined) throw usage('--cert is missing', ['docker-tls ca import --cert FILE --key FILE']);
    if (!global.dryRun) await store.write({ ca });
    return importedCa(ca);
  });
}

function importedCa(ca: StoredCa): ImportedCa {
  const { subject, fingerprint, notAfter } = inspectCertificate(ca.cert);
  const issuing = issuingOf(ca);
  const issues = issuing !== 'here' ? issuing : ca.keyPem === undefined ? 'token' : 'key';
  const warnings = authorityWarnings(ca.cert, ca.record.wholeChain === true);
  const signer = ca.record.external === undefined ? undefined : externalCaWords(ca.record.external);
  return { subject, fingerprint, notAfter, issues, signer, warnings };
}

const ISSUES: Readonly<Record<ImportedCa['issues'], string>> = {
  key: 'this store issues with its key',
  token: 'this store issues with its key in the token',
  signer: 'signs on request',
  'leaf-only': 'signs leaf certificates only: dockerd cannot reject its clients one by one',
  external: 'its key is external: nothing can be issued here',
};

function renderImportedCa({ notAfter, ...ca }: ImportedCa, { global }: RenderContext): CommandResult<CaImportDocument> {
  const { subject, fingerprint, issues, signer, warnings } = ca;
  const lines = [fingerprint, ...warnings.map((warning) => `warning: ${warning}`)];
  return {
    exit: 0,
    result: { subject, fingerprint, notAfter, issues, warnings, dryRun: global.dryRun || undefined },
    text: `CA ${subject}, until ${dateWords(notAfter)}: ${[signer, ISSUES[issues]].filter(Boolean).join(' ')}\n${lines.join('\n')}`,
  };
}
