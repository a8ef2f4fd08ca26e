/** `client request`: a key that is created and kept on this machine, and a certificate request. */

import { readRequests, writeRequest } from '../adapters/store/requests.ts';
import { checkName } from '../domain/names.ts';
import { makeCsr } from '../domain/pki/csr.ts';
import type { KeyType } from '../domain/pki/key-types.ts';
import { generateKey } from '../domain/pki/keys.ts';
import { CLIENT_DEFAULTS } from '../domain/settings.ts';
import type { ActionContext } from './action-context.ts';
import { checkOut, type OutOptions, writeOut } from './files.ts';
import { storeOf } from './store.ts';

export type RequestOptions = OutOptions & { readonly keyType: KeyType | undefined; readonly new: boolean };

export type Request = {
  readonly client: string;
  /** False if a request was already pending. */
  readonly created: boolean;
  /** PEM. */
  readonly request: string;
  /** The absolute path of the written file; undefined: none. */
  readonly file: string | undefined;
};

/** The pending request, or a new one; with --dry-run, writes nothing. */
export async function requestClient(context: ActionContext, given: string, options: RequestOptions): Promise<Request> {
  const { global, runtime } = context;
  const client = checkName('client', given);
  const { out = '-', replace, keyType = CLIENT_DEFAULTS.keyType } = options;
  const file = { runtime, global: { json: global.json && options.out !== undefined }, out, replace };
  checkOut(file, false);
  return storeOf(context).withLock('docker-tls client request', async () => {
    const waiting = options.new ? undefined : readRequests(global.home).find(({ name }) => name === client);
    const { csr, ...request } = waiting ?? (await newRequest(client, keyType));
    if (waiting === undefined && !global.dryRun) await writeRequest(global.home, { csr, ...request });
    const path = out === '-' || global.dryRun ? undefined : await writeOut({ ...file, data: csr });
    return { client, created: waiting === undefined, request: csr, file: path };
  });
}

async function newRequest(name: string, keyType: KeyType) {
  const key = await generateKey(keyType);
  return { name, key, csr: makeCsr({ key, commonName: name }) };
}
