/** `ca export`: the CA's public certificate, or with its key in encrypted form only. */

import { defineCommand } from '../../cli/command.ts';
import { CA_OPTIONS, FILE, OUT_OPTIONS } from '../../cli/host-options.ts';
import { exportCa } from '../actions/ca-export.ts';

export const command = defineCommand({
  scope: ['fleet', 'changes', 'store'],
  about:
    'Without --with-key the certificate alone, which is not a secret: on standard output, or --out FILE.\nWith --with-key a file of certificate and key, the key under a passphrase of its own: anyone with both can grant access.',
  examples: ['docker-tls ca export > ca.pem', 'docker-tls ca export --with-key --out ca-backup.pem'],
  args: {},
  options: {
    ...OUT_OPTIONS,
    withKey: { kind: 'flag', summary: 'the key as well, encrypted' },
    passphraseFile: { ...FILE, summary: 'read the passphrase for the exported key from a file' },
    caPassphraseFile: CA_OPTIONS.caPassphraseFile,
  },
  async run(context) {
    const result = await exportCa(context, context.options);
    const { cert, file, key, subject, fingerprint } = result;
    const text = `${file}: ${subject}${key ? ', with its key (encrypted)' : ''}\n${fingerprint}`;
    return { exit: 0, result, text: file === '-' ? '' : (cert ?? text) };
  },
});
