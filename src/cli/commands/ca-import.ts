/** Owns `ca import`: a CA of your own, also an intermediate, also one whose key is external. */

import { importCa } from '../../actions/ca-import.ts';
import { externalCaOf } from '../../actions/external-ca.ts';
import { externalCaWords } from '../../domain/external-ca.ts';
import { authorityWarnings } from '../../domain/pki/authority.ts';
import { inspectCertificate } from '../../domain/pki/inspect.ts';
import { Secret } from '../../domain/secret.ts';
import { dateWords } from '../../domain/words.ts';
import { defineCommand } from '../command.ts';
import { readIn } from '../files.ts';
import { PASSPHRASE_OPTIONS } from '../host-options.ts';
import { usage } from '../options.ts';
import { passphraseSource } from '../secrets.ts';
import { storeOf } from '../store.ts';

export const command = defineCommand({
  name: 'ca import',
  withoutFleet: true,
  summary: 'Use your own CA, even if its key stays on another machine',
  about:
    'With --key this store issues, as with a CA it made itself. With --step-ca, --cfssl or --vault that CA is asked over its API, with --sign-command a command: it gets a request on standard input, and the profile (server, client or issuer) and the days as arguments, and prints the certificate. With none of them, nothing can be issued here.\nA CA that is asked makes an issuing CA for each client, so that each can be revoked. With --leaf-only it is not asked for those: no client can be revoked before its certificate ends (docs/ca.md).',
  examples: [
    'docker-tls ca import --cert ca.pem --key ca-key.pem',
    'docker-tls ca import --cert intermediate.pem --key intermediate-key.pem --chain root.pem --whole-chain',
    "docker-tls ca import --cert ca.pem --sign-command '/usr/local/bin/sign-docker {profile} {days}'",
    'docker-tls ca import --cert intermediate.pem --chain root.pem --whole-chain --step-ca https://ca.example.org --credential-file provisioner.jwk',
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
    stepCa: { kind: 'text', value: 'URL', summary: 'ask step-ca to sign' },
    cfssl: { kind: 'text', value: 'URL', summary: 'ask cfssl serve to sign' },
    vault: {
      kind: 'text',
      value: 'URL',
      summary: 'ask Vault or OpenBao to sign; with the mount: https://HOST:8200/v1/pki',
    },
    profile: {
      kind: 'list',
      value: 'USE=NAME',
      summary: "the CA's own provisioner, profile or role for server, client and issuer",
    },
    credentialFile: {
      kind: 'text',
      value: 'FILE',
      summary: 'provisioner key (JWK, JWE), authentication key or token for the CA',
      completes: 'file',
    },
    passphraseFile: {
      kind: 'text',
      value: 'FILE',
      summary: 'passphrase of an encrypted provisioner key',
      completes: 'file',
    },
    tlsRoot: {
      kind: 'text',
      value: 'FILE',
      summary: "the CA of the API's own certificate (default: the imported CA and its chain)",
      completes: 'file',
    },
    leafOnly: { kind: 'flag', summary: 'the CA signs no CAs: clients cannot be revoked one by one' },
    caPassphraseFile: PASSPHRASE_OPTIONS.caPassphraseFile,
    noCaPassphrase: PASSPHRASE_OPTIONS.noCaPassphrase,
  },
  async run({ options, global, runtime, prompts }) {
    if (options.cert === undefined) throw usage('--cert is missing', ['docker-tls ca import --cert FILE --key FILE']);
    const text = async (file: string): Promise<string> => (await readIn(file, runtime.cwd)).toString('utf8');
    const cert = await text(options.cert);
    const key = options.key === undefined ? undefined : new Secret(await readIn(options.key, runtime.cwd));
    const chain = options.chain === undefined ? undefined : await text(options.chain);
    const trust = options.tlsRoot === undefined ? `${cert}\n${chain ?? ''}` : await text(options.tlsRoot);
    const external = externalCaOf(options, trust, runtime.cwd);
    if (key !== undefined && external !== undefined)
      throw usage('give either --key, or who signs (--sign-command, --step-ca, --cfssl, --vault)', []);
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
        external,
        leafOnly: options.leafOnly,
        noPassphrase: options.noCaPassphrase,
      });
      if (!global.dryRun) await store.write(change);
      const { subject, fingerprint, notAfter } = inspectCertificate(cert);
      const { external: asked, leafOnly } = change.ca?.record ?? {};
      const issues = change.ca?.keyPem ? 'key' : asked === undefined ? 'external' : leafOnly ? 'leaf-only' : 'asked';
      const warnings = authorityWarnings(cert, change.ca?.record.wholeChain === true);
      const how = {
        key: 'this store issues with its key',
        asked: `${externalCaWords(asked ?? { kind: 'command', command: '' })} signs`,
        'leaf-only': 'it signs leaf certificates only: its clients cannot be revoked one by one',
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
