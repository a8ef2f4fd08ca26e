/** Owns `ca export`: the CA's certificate, which is public; with its key only encrypted. */

import { resolve } from 'node:path';
import { checkOut, writeOut } from '../../actions/files.ts';
import { openStoredRun } from '../../actions/run.ts';
import { readSecretFile } from '../../actions/secrets.ts';
import { inspectCertificate } from '../../domain/pki/inspect.ts';
import { encryptKey } from '../../domain/pki/keys.ts';
import { Secret } from '../../domain/secret.ts';
import { openIssuer } from '../../engine/issue.ts';
import { usage } from '../../errors/errors.ts';
import { defineCommand } from '../command.ts';
import { CA_OPTIONS, OUT_OPTIONS } from '../host-options.ts';
import { noCa } from './ca-show.ts';

export const command = defineCommand({
  name: 'ca export',
  summary: "The CA's certificate; with --with-key its key too, always encrypted",
  about:
    'Without --with-key the certificate alone, which is no secret: on standard output, or --out FILE.\nWith --with-key a file of certificate and key, the key under a passphrase of its own: anyone with both can grant access.',
  examples: ['docker-tls ca export > ca.pem', 'docker-tls ca export --with-key --out ca-backup.pem'],
  args: {},
  options: {
    ...OUT_OPTIONS,
    withKey: { kind: 'flag', summary: 'the key as well, encrypted' },
    passphraseFile: {
      kind: 'text',
      value: 'FILE',
      summary: 'read the passphrase for the exported key from a file',
      completes: 'file',
    },
    caPassphraseFile: CA_OPTIONS.caPassphraseFile,
  },
  async run(context) {
    const { options, global, runtime, prompts } = context;
    const { run, state } = await openStoredRun(context, options);
    const { ca } = state;
    if (ca === undefined) throw noCa();
    const { fingerprint, subject } = inspectCertificate(ca.cert);
    const result = { subject, fingerprint, key: options.withKey };
    if (!options.withKey) {
      if (options.out === undefined || options.out === '-')
        return { exit: 0, result: { ...result, cert: ca.cert }, text: ca.cert };
      const path = await writeOut({ runtime, global, out: options.out, data: ca.cert, replace: options.replace });
      return { exit: 0, result: { ...result, file: path }, text: `${path}: ${subject}\n${fingerprint}` };
    }
    if (options.out === undefined)
      throw usage('--with-key needs a file', ['docker-tls ca export --with-key --out FILE']);
    const file = { runtime, global, out: options.out, replace: options.replace };
    checkOut(file, true);
    const authority = await openIssuer(state, {
      passphrase: run.passphrase,
      sign: runtime.sign,
      now: runtime.now(),
    }).authority();
    const passphrase =
      options.passphraseFile === undefined
        ? await prompts.password({
            message: 'Passphrase for the exported key:',
            confirm: true,
            flag: '--passphrase-file FILE',
          })
        : await readSecretFile(resolve(runtime.cwd, options.passphraseFile), '--passphrase-file');
    const key = await encryptKey(authority.key, passphrase);
    const path = await writeOut({ ...file, data: new Secret(`${ca.cert}${key.revealText()}`) });
    return {
      exit: 0,
      result: { ...result, file: path },
      text: path === '-' ? '' : `${path}: ${subject}, with its key (encrypted)\n${fingerprint}`,
    };
  },
});
