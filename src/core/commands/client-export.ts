/** `client export`: a client as one file for another machine, a keychain, Java or a CI system. */

import { defineCommand } from '../../cli/command.ts';
import { FILE, OUT_OPTIONS } from '../../cli/host-options.ts';
import { BUNDLE_FORMATS } from '../actions/client-bundle.ts';
import { exportClient } from '../actions/client-export.ts';
import { renderExported } from '../render/exported.ts';
import { FORMATS } from '../seams/formats.ts';
import { offeredLines } from '../seams/seam.ts';

export const command = defineCommand({
  scope: ['changes', 'store'],
  about:
    'tar: for `docker-tls client import` on the other computer. p12: PKCS#12 under a passphrase, for keychains, browsers and Java. env: lines for the secrets of a CI system. pem: key, certificate and CA in one text.\nThe name of a tool: a tar archive of the three files and the configuration, for a computer without docker-tls; --directory says where they will be there.\nThe file is written 0600. Anyone with the file can act as the client: send it as you would send a password.',
  examples: [
    'docker-tls client export ci --out ci.tar',
    'docker-tls client export ci --format p12 --out ci.p12',
    ...offeredLines(
      FORMATS,
      'docker-tls client export ci --format prometheus --directory /etc/prometheus/docker --out ci.tar',
    ),
    'docker-tls client export ci --format env --hosts build-1 --out - | gh secret set --env-file -',
  ],
  args: { name: { summary: 'the client', required: true, completes: 'client' } },
  options: {
    ...OUT_OPTIONS,
    format: {
      kind: 'choice',
      choices: [...BUNDLE_FORMATS, ...FORMATS.all.map(({ name }) => name)],
      summary: 'default tar',
    },
    directory: {
      kind: 'text',
      value: 'DIR',
      summary: 'of a tool: where the files will be on its computer (absolute)',
    },
    hosts: {
      kind: 'list',
      value: 'NAME',
      summary: 'name these hosts in it; default: all that accept it',
      completes: 'host',
    },
    passphraseFile: { ...FILE, summary: 'read the passphrase of a PKCS#12 file from a file' },
  },
  run: async (context) => renderExported(await exportClient(context, context.args.name, context.options), context),
});
