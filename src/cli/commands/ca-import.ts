/** Owns `ca import`: a CA of your own, also an intermediate, also one whose key is external. */

import { importCa } from '../../actions/ca-import.ts';
import { defineCommand } from '../command.ts';
import { FILE, PASSPHRASE_OPTIONS } from '../host-options.ts';
import { renderImportedCa } from '../render/ca.ts';

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
    cert: { ...FILE, summary: 'its certificate (PEM)' },
    key: { ...FILE, summary: 'its private key (PEM)' },
    chain: { ...FILE, summary: 'the CAs above an intermediate one (PEM)' },
    wholeChain: {
      kind: 'flag',
      summary: "put that chain into clients' ca.pem too, for Node, Python and OpenSSL (docs/ca.md)",
    },
    signCommand: { kind: 'text', value: 'COMMAND', summary: 'signs requests; split into words, no shell' },
    caPassphraseFile: PASSPHRASE_OPTIONS.caPassphraseFile,
    noCaPassphrase: PASSPHRASE_OPTIONS.noCaPassphrase,
  },
  run: async (context) => renderImportedCa(await importCa(context, context.options), context),
});
