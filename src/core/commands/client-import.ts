/** `client import`: directory, contexts and environment from a bundle of another machine. */

import { defineCommand } from '../../cli/command.ts';
import { FILE } from '../../cli/host-options.ts';
import { importClient } from '../actions/client-import.ts';
import { renderImported } from '../render/imported.ts';

export const command = defineCommand({
  scope: ['changes', 'store'],
  about:
    "Takes what `client export` or `client sign` made: a tar archive, PEM or env lines; also a certificate (PEM) that another CA gave for a request. Credentials without a key have to belong to a request that was made here.\nNeither the CA's key nor SSH is needed here; env, context, verify and doctor then know the hosts.",
  examples: [
    'docker-tls client import ci.tar --use',
    'docker-tls client import ann.tar --no-context && eval "$(docker-tls env build-1)"',
    'docker-tls client import ann.pem --ca ca.pem --host tcp://build-1.example.org:2376',
    'openssl pkcs12 -in ci.p12 -nodes | docker-tls client import -',
    'docker-tls client import --from-env --context ci --use',
  ],
  args: { file: { summary: 'the bundle; - is standard input', completes: 'file' } },
  options: {
    fromEnv: {
      kind: 'flag',
      summary: 'from DOCKER_TLS_CA, DOCKER_TLS_CERT and DOCKER_TLS_KEY of the environment, as in CI',
    },
    name: { kind: 'text', value: 'NAME', summary: 'another name for the client in this store' },
    ca: { ...FILE, summary: 'the CA of the hosts, where PEM credentials lack it' },
    host: {
      kind: 'list',
      value: 'tcp://HOST:PORT',
      summary: 'hosts that the client reaches, where the credentials name none',
    },
    context: {
      kind: 'text',
      value: 'NAME',
      summary: "the context's name, where there is one host; default: the host's",
    },
    noContext: { kind: 'flag', summary: 'make no docker contexts' },
    use: { kind: 'flag', summary: "make the (first) host's context the current one" },
    replace: { kind: 'flag', summary: 'take the place of another client of that name, and of contexts of others' },
  },
  run: async (context) => renderImported(await importClient(context, context.args.file, context.options), context),
});
