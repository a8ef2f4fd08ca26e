/** The import of a CA made by another tool: with its key, without it, or with a description of how it signs. */

import { usage } from '../../errors/errors.ts';
import { externalCaWords } from '../domain/external-ca.ts';
import { authorityWarnings } from '../domain/pki/authority.ts';
import { type CertificateInfo, inspectCertificate } from '../domain/pki/inspect.ts';
import { Secret } from '../domain/secret.ts';
import { storeSettings } from '../domain/store-settings.ts';
import { type Issuing, issuingOf } from '../domain/trust/view.ts';
import { caToStore } from '../engine/imported-ca.ts';
import { tryToken } from '../engine/token.ts';
import type { ActionContext } from './action-context.ts';
import { type CaFiles, readCa } from './ca-files.ts';
import { passphraseSource } from './ca-passphrase.ts';
import { readIn } from './files.ts';
import type { SecretOptions } from './secrets.ts';
import { storeOf } from './store.ts';

export type CaImportOptions = SecretOptions &
  Partial<CaFiles> & { readonly key: string | undefined; readonly wholeChain: boolean; readonly leafOnly: boolean };

export type ImportedCa = Pick<CertificateInfo, 'subject' | 'fingerprint' | 'notAfter'> & {
  /** The signer from now on. */
  readonly issues: 'key' | 'token' | Exclude<Issuing, 'here'>;
  /** The external CA that signs, in words. */
  readonly signer: string | undefined;
  readonly warnings: readonly string[];
};

/** Stores a CA from files, unless this is a dry run. Fails with E_USAGE, E_FILE, and as `caToStore` does. */
export async function importCa(context: ActionContext, options: CaImportOptions): Promise<ImportedCa> {
  const { global, runtime, prompts } = context;
  const { cert, wholeChain, leafOnly, noCaPassphrase: noPassphrase } = options;
  if (cert === undefined) throw usage('--cert is missing', ['docker-tls ca import --cert FILE --key FILE']);
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
    const { subject, fingerprint, notAfter } = inspectCertificate(files.cert);
    const issuing = issuingOf(ca);
    const issues = issuing !== 'here' ? issuing : ca.keyPem === undefined ? 'token' : 'key';
    const warnings = authorityWarnings(files.cert, ca.record.wholeChain === true);
    const signer = ca.record.external === undefined ? undefined : externalCaWords(ca.record.external);
    return { subject, fingerprint, notAfter, issues, signer, warnings };
  });
}
