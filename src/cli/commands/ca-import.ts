/** Owns `ca import`: a CA of your own, also an intermediate, also one whose key is external. */

import { importCa } from '../../actions/ca-import.ts';
import { readIn } from '../../actions/files.ts';
import { passphraseSource } from '../../actions/secrets.ts';
import { storeOf } from '../../actions/store.ts';
import { anchorCommand } from '../../adapters/issuer/sign-command.ts';
import { authorityWarnings } from '../../domain/pki/authority.ts';
import { inspectCertificate } from '../../domain/pki/inspect.ts';
import { Secret } from '../../domain/secret.ts';
import { dateWords } from '../../domain/words.ts';
import { usage } from '../../errors/errors.ts';
import { defineCommand } from '../command.ts';
import { PASSPHRASE_OPTIONS } from '../host-options.ts';

export const command = defineCommand({
  name: 'ca import',
  withoutFleet: true,
  summary: 'Use your own CA, even if its key stays on another machine',
  about:
    'With --key this store issues, as with a CA it made itself. With --sign-command a command signs: it gets a request on standard input, and the profile (server or client) and the days as arguments, and prints the certificate. With neither, nothing can be issued here.\nA CA that signs by a command signs leaf certificates only: its clients cannot be told apart by a host, so none can be revoked before its end (docs/ca.md).',
  examples: [
    'docker-tls ca import --cert ca.pem --key ca-key.pem',
    'docker-tls ca import --cert intermediate.pem --key intermediate-key.pem --chain root.pem --whole-chain',
    "docker-tls ca import --cert ca.pem --sign-command '/usr/local/bin/sign-docker {profile} {days}'",
  ],
  args: {},
  options: {
    cert: { kind: 'text', value: 'FILE', summary: 'its certificate (PEM)', completes: 'file' },
    key: { kind: 'text', value: 'FILE', summary: 'its private key (PEM)', completes: 'file' },
    chain: { kind: 'text', value: 'FILE', summary: 'the CAs above an intermediate one (PEM)', completes: 'file' },
    wholeChain: {
      kind: 'flag',
      summary: "put that chain into clients' ca.pem too, for Node, Python and OpenSSL (docs/ca.md)",
    },
    signCommand: { kind: 'text', value: 'COMMAND', summary: 'signs requests; split into words, no shell' },
    caPassphraseFile: PASSPHRASE_OPTIONS.caPassphraseFile,
    noCaPassphrase: PASSPHRASE_OPTIONS.noCaPassphrase,
  },
  async run({ options, global, runtime, prompts }) {
    if (options.cert === undefined) throw usage('--cert is missing', ['docker-tls ca import --cert FILE --key FILE']);
    if (options.key !== undefined && options.signCommand !== undefined)
      throw usage('give either --key or --sign-command', []);
    const text = async (file: string): Promise<string> => (await readIn(file, runtime.cwd)).toString('utf8');
    const cert = await text(options.cert);
    const key = options.key === undefined ? undefined : new Secret(await readIn(options.key, runtime.cwd));
    const chain = options.chain === undefined ? undefined : await text(options.chain);
    const passphrase = passphraseSource(options, runtime, prompts);
    const store = storeOf({ global, runtime });
    return store.withLock('docker-tls ca import', async () => {
      const change = await importCa({
        state: await store.read(),
        cert,
        passphrase,
        now: runtime.now(),
        key,
        chain,
        wholeChain: options.wholeChain,
        signCommand: options.signCommand === undefined ? undefined : anchorCommand(options.signCommand, runtime.cwd),
      });
      if (!global.dryRun) await store.write(change);
      const { subject, fingerprint, notAfter } = inspectCertificate(cert);
      const issues = change.ca?.keyPem ? 'key' : change.ca?.record.signCommand ? 'command' : 'external';
      const warnings = authorityWarnings(cert, change.ca?.record.wholeChain === true);
      const how = {
        key: 'this store issues with its key',
        command: 'a command signs; its clients cannot be revoked one by one',
        external: 'its key is external: nothing can be issued here',
      }[issues];
      return {
        exit: 0,
        result: { subject, fingerprint, notAfter: notAfter.toISOString(), issues, warnings, dryRun: global.dryRun },
        text: `CA ${subject}, until ${dateWords(notAfter)}: ${how}\n${[fingerprint, ...warnings.map((warning) => `warning: ${warning}`)].join('\n')}`,
      };
    });
  },
});
