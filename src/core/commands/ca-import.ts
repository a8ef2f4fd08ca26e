/** `ca import`: a CA of your own, including intermediate CAs and CAs with an external key. */

import { defineCommand } from '../../cli/command.ts';
import { FILE, PASSPHRASE_OPTIONS } from '../../cli/host-options.ts';
import { importCa } from '../actions/ca-import.ts';
import { renderImportedCa } from '../render/ca.ts';
import { ISSUERS } from '../seams/issuers.ts';
import { offered, offeredLines } from '../seams/seam.ts';

export const command = defineCommand({
  scope: ['changes', 'store'],
  about: [
    'With --key this store issues, as with a CA it made itself; without it, nothing can be issued here.',
    ...offeredLines(
      ISSUERS,
      'With --pkcs11 a token or KMS signs what this store issues. With --step-ca, --cfssl or --vault that CA is asked over its API, with --sign-command a command: it gets a request on standard input, and the profile (server, client or issuer) and the days as arguments, and prints the certificate.\nA CA that is asked makes an issuing CA for each client, so that each can be revoked. With --leaf-only it is not asked for those: no client can be revoked before its certificate ends (docs/ca.md).',
    ),
  ].join('\n'),
  examples: [
    'docker-tls ca import --cert ca.pem --key ca-key.pem',
    'docker-tls ca import --cert intermediate.pem --key intermediate-key.pem --chain root.pem --whole-chain',
    ...offeredLines(
      ISSUERS,
      "docker-tls ca import --cert ca.pem --pkcs11 'pkcs11:token=ca;object=docker-ca' --pin-file pin",
      "docker-tls ca import --cert ca.pem --sign-command '/usr/local/bin/sign-docker {profile} {days}'",
      'docker-tls ca import --cert intermediate.pem --chain root.pem --whole-chain --step-ca https://ca.example.org --credential-file provisioner.jwk',
    ),
  ],
  args: {},
  options: {
    cert: { ...FILE, summary: 'its certificate (PEM)' },
    key: { ...FILE, summary: 'its private key (PEM)' },
    chain: { ...FILE, summary: 'the CAs above an intermediate one (PEM)' },
    wholeChain: {
      kind: 'flag',
      summary: "put that chain into clients' ca.pem too, for Node, Python and OpenSSL (docs/ca.md)",
    },
    ...offered(ISSUERS, {
      pkcs11: { kind: 'text', value: 'URI', summary: 'its private key in a token or KMS (RFC 7512)' },
      pinFile: { ...FILE, summary: 'PIN of that token (default: it is asked for)' },
      signCommand: { kind: 'text', value: 'COMMAND', summary: 'signs requests; split into words, no shell' },
      stepCa: { kind: 'text', value: 'URL', summary: 'ask step-ca to sign' },
      cfssl: { kind: 'text', value: 'URL', summary: 'ask cfssl serve to sign' },
      vault: { kind: 'text', value: 'URL', summary: 'ask Vault or OpenBao; with the mount: https://HOST:8200/v1/pki' },
      profile: { kind: 'list', value: 'USE=NAME', summary: "the CA's own name for server, client or issuer" },
      credentialFile: { ...FILE, summary: 'provisioner key, authentication key or token for the CA' },
      passphraseFile: { ...FILE, summary: 'passphrase of an encrypted provisioner key' },
      tlsRoot: { ...FILE, summary: 'the CA of its API (default: the imported CA and its chain)' },
      leafOnly: { kind: 'flag', summary: 'the CA signs no CAs: clients cannot be revoked one by one' },
    } as const),
    caPassphraseFile: PASSPHRASE_OPTIONS.caPassphraseFile,
    noCaPassphrase: PASSPHRASE_OPTIONS.noCaPassphrase,
  },
  run: async (context) => renderImportedCa(await importCa(context, context.options), context),
});
