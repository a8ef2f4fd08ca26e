/** Owns `client request`: a key that is made here and stays here, and a request for a certificate. */

import { checkOut, writeOut } from '../../actions/files.ts';
import { storeOf } from '../../actions/store.ts';
import { readRequests, writeRequest } from '../../adapters/store/requests.ts';
import { checkName } from '../../domain/names.ts';
import { makeCsr } from '../../domain/pki/csr.ts';
import { generateKey } from '../../domain/pki/keys.ts';
import { CLIENT_DEFAULTS } from '../../domain/settings.ts';
import { defineCommand } from '../command.ts';
import { CLIENT_OPTIONS, OUT_OPTIONS } from '../host-options.ts';

export const command = defineCommand({
  name: 'client request',
  withoutFleet: true,
  summary: 'A key that never leaves this computer, and a request for its certificate',
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
  async run({ args, options, global, runtime }) {
    const name = checkName('client', args.name);
    const out = options.out ?? '-';
    const file = { runtime, global: { json: global.json && options.out !== undefined }, out, replace: options.replace };
    checkOut(file, false);
    const store = storeOf({ global, runtime });
    return store.withLock('docker-tls client request', async () => {
      const waiting = options.new ? undefined : readRequests(global.home).find((request) => request.name === name);
      const request = waiting ?? (await newRequest(name, options.keyType ?? CLIENT_DEFAULTS.keyType));
      if (global.dryRun)
        return { exit: 0, result: { client: name, dryRun: true }, text: `would make a request for ${name}` };
      if (waiting === undefined) await writeRequest(global.home, request);
      const result = { client: name, created: waiting === undefined, request: request.csr };
      if (options.out === undefined || options.out === '-') return { exit: 0, result, text: request.csr };
      const path = await writeOut({ ...file, data: request.csr });
      return {
        exit: 0,
        result: { ...result, file: path },
        text: `${path}: request of ${name}; its key waits here`,
        next: [
          `where the CA is:  docker-tls client sign ${options.out} --out ${name}.tar`,
          `then here:        docker-tls client import ${name}.tar`,
        ],
      };
    });
  },
});

async function newRequest(name: string, keyType: Parameters<typeof generateKey>[0]) {
  const key = await generateKey(keyType);
  return { name, key, csr: makeCsr({ key, commonName: name }) };
}
