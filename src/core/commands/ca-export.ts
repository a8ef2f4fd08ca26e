/** `ca export`: the CA's public certificate, or with its key in encrypted form only. */

import { type CommandResult, defineCommand } from '../../cli/command.ts';
import { CA_OPTIONS, FILE, OUT_OPTIONS } from '../../cli/host-options.ts';
import { usage } from '../../errors/errors.ts';
import { exportPassphrase } from '../actions/given-secrets.ts';
import { checkOut, writeOut } from '../actions/input-output.ts';
import { storeOf } from '../actions/open-store.ts';
import { keyPassphrase } from '../actions/run.ts';
import { inspectCertificate } from '../domain/pki/inspect.ts';
import { encryptKey } from '../domain/pki/keys.ts';
import { openAuthority } from '../domain/pki/open-authority.ts';
import { Secret } from '../domain/secret.ts';
import { externalCaKey, noCa } from '../domain/trust/ca-refusals.ts';
import { protectKeys } from '../engine/key-protection.ts';

export type CaExportDocument = {
  readonly subject: string;
  readonly fingerprint: string;
  /** The file holds the key too, encrypted. */
  readonly key: boolean;
  /** The certificate (PEM), if no file was named. */
  readonly cert?: string;
  readonly file?: string;
};

export const command = defineCommand({
  scope: ['fleet', 'changes', 'store'],
  about:
    'Without --with-key the certificate alone, which is not a secret: on standard output, or --out FILE.\nWith --with-key a file of certificate and key, the key under a separate passphrase: anyone with both can grant access.',
  examples: ['docker-tls ca export > ca.pem', 'docker-tls ca export --with-key --out ca-backup.pem'],
  args: {},
  options: {
    ...OUT_OPTIONS,
    withKey: { kind: 'flag', summary: 'the key as well, encrypted' },
    passphraseFile: { ...FILE, summary: 'read the passphrase for the exported key from a file' },
    caPassphraseFile: CA_OPTIONS.caPassphraseFile,
  },
  /** Fails with E_NO_CA, E_USAGE, E_FILE_EXISTS (exit 2). */
  async run(context): Promise<CommandResult<CaExportDocument>> {
    const { global, runtime, options } = context;
    const { out, replace, withKey } = options;
    const state = await storeOf(context).read();
    const keys = protectKeys(state, await keyPassphrase(context, options, state));
    const { ca } = state;
    if (ca === undefined) throw noCa();
    const { fingerprint, subject } = inspectCertificate(ca.cert);
    const exported = { subject, fingerprint, key: withKey };
    const written = (file: string) => {
      const text = `${file}: ${subject}${withKey ? ', with its key (encrypted)' : ''}\n${fingerprint}`;
      return { exit: 0, result: { ...exported, file }, text: file === '-' ? '' : text } as const;
    };
    if (!withKey) {
      if (out === undefined || out === '-') return { exit: 0, result: { ...exported, cert: ca.cert }, text: ca.cert };
      return written(await writeOut({ runtime, global, out, data: ca.cert, replace }));
    }
    if (out === undefined) throw usage('--with-key needs a file', ['docker-tls ca export --with-key --out FILE']);
    const file = { runtime, global, out, replace };
    checkOut(file, true);
    if (ca.keyPem === undefined) throw externalCaKey();
    // Fails where the key is not that of the certificate: such a backup would be worth nothing.
    const authority = openAuthority({ cert: ca.cert, key: await keys.open(ca.keyPem) });
    const passphrase = await exportPassphrase(options.passphraseFile, 'Passphrase for the exported key:', context);
    const key = await encryptKey(authority.key, passphrase);
    return written(await writeOut({ ...file, data: new Secret(`${ca.cert}${key.revealText()}`) }));
  },
});
