/** `client request`: a key that is created and kept on this machine, and a certificate request. */

import { type CommandResult, defineCommand } from '../../../cli/command.ts';
import { CLIENT_OPTIONS, OUT_OPTIONS } from '../../../cli/host-options.ts';
import { checkOut, writeOut } from '../../../core/actions/input-output.ts';
import { storeOf } from '../../../core/actions/open-store.ts';
import { checkName } from '../../../core/domain/names.ts';
import { makeCsr } from '../../../core/domain/pki/csr.ts';
import type { KeyType } from '../../../core/domain/pki/key-types.ts';
import { generateKey } from '../../../core/domain/pki/keys.ts';
import { CLIENT_DEFAULTS } from '../../../core/domain/settings.ts';
import { asWritten } from '../../../errors/errors.ts';
import { readRequests, writeRequest } from '../adapters/requests.ts';

export type ClientRequestDocument =
  | { readonly client: string; readonly dryRun: true }
  | {
      readonly client: string;
      /** False: the request was waiting already. */
      readonly created: boolean;
      /** The request (PEM). */
      readonly request: string;
      readonly file?: string;
    };

export const command = defineCommand({
  scope: ['changes', 'store'],
  about:
    'The key waits in HOME/requests/NAME until `client import` brings its certificate. Send the request to the operator of the CA: it holds no secret.\nAsked again, the same request comes out again; --new makes another key. A renewal goes the same way.',
  examples: [
    'docker-tls client request ann --out ann.csr',
    'where the CA is: docker-tls client sign ann.csr --out ann.tar',
    'here again: docker-tls client import ann.tar',
  ],
  args: { name: { summary: 'name of the client, which daemons see', required: true } },
  options: {
    ...OUT_OPTIONS,
    keyType: CLIENT_OPTIONS.keyType,
    new: { kind: 'flag', summary: 'another key, though a request waits already' },
  },
  async run(context): Promise<CommandResult<ClientRequestDocument>> {
    const { global, runtime, options, args } = context;
    const client = checkName('client', args.name);
    const { out = '-', replace, keyType = CLIENT_DEFAULTS.keyType } = options;
    const file = { runtime, global: { json: global.json && options.out !== undefined }, out, replace };
    checkOut(file, false);
    return storeOf(context).withLock('docker-tls client request', async () => {
      const waiting = options.new ? undefined : readRequests(global.home).find(({ name }) => name === client);
      const { csr, ...request } = waiting ?? (await newRequest(client, keyType));
      if (global.dryRun)
        return { exit: 0, result: { client, dryRun: true }, text: `would make a request for ${client}` };
      if (waiting === undefined) await writeRequest(global.home, { csr, ...request });
      const result = { client, created: waiting === undefined, request: csr };
      if (out === '-') return { exit: 0, result, text: csr };
      const path = await writeOut({ ...file, data: csr });
      return {
        exit: 0,
        result: { ...result, file: path },
        text: `${path}: request of ${client}; its key stays here`,
        next: [
          asWritten(`where the CA is:  docker-tls client sign ${out} --out ${client}.tar`),
          `then here:        docker-tls client import ${client}.tar`,
        ],
      };
    });
  },
});

async function newRequest(name: string, keyType: KeyType) {
  const key = await generateKey(keyType);
  return { name, key, csr: makeCsr({ key, commonName: name }) };
}
