/** The configuration of tools for a client of the store, and remembering who was given its credentials. */

import { packTar } from '../adapters/docker/tar.ts';
import type { StoredClient, StoreState } from '../adapters/store/records.ts';
import type { Store } from '../adapters/store/store.ts';
import { dockerHost } from '../domain/destination.ts';
import { contextNameOf } from '../domain/names.ts';
import { shellQuote } from '../domain/quote.ts';
import { Secret } from '../domain/secret.ts';
import { type Access, contextCommand } from '../domain/tools/access.ts';
import { renderTool, TOOL_TABLE, type ToolName } from '../domain/tools/tools.ts';
import { externalKey } from '../domain/trust/client-refusals.ts';
import { type NewCopy, withHandedOut } from '../domain/trust/handed-out.ts';
import type { ReachableHost } from '../domain/trust/reachable-hosts.ts';
import { DockerTlsError } from '../errors/errors.ts';

/** A tool on this computer: it reads the files in the store, and its context is kept up to date by docker-tls (`program`: as it is called here). */
export function accessHere(
  { record }: ReachableHost,
  client: StoredClient & { readonly directory: string },
  program: string,
): Access {
  const context = contextNameOf(record.name);
  const command = `${program} context ${shellQuote(record.name)} --client ${shellQuote(client.record.name)}`;
  return {
    host: record.name,
    endpoint: dockerHost(record.address, record.port),
    client: client.record.name,
    directory: client.directory,
    context: { name: context, command },
  };
}

/** The commands that give a tool here the host, as `env --format` prints them, without remarks; none for what the store does not have. */
export function commandsHere(
  tool: ToolName,
  state: StoreState,
  host: string,
  client: string,
  program: string,
): string[] {
  const known = { host: state.hosts.get(host), client: state.clients.get(client) };
  if (known.host === undefined || known.client === undefined) return [];
  return renderTool(tool, [accessHere(known.host, known.client, program)], () => '')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
}

/** A tool on a computer without the store, where the files are in `directory`. */
export function accessThere(
  { name, host }: { readonly name: string; readonly host: string },
  client: string,
  directory: string,
): Access {
  const access = { host: name, endpoint: host, client, directory };
  const context = contextNameOf(name);
  return { ...access, context: { name: context, command: contextCommand(access, context) } };
}

/** An archive for such a computer: the client's three files and the tool's configuration. Fails with E_CLIENT_NO_KEY, and as renderTool does. */
export function packTool(
  tool: ToolName,
  all: readonly [Access, ...Access[]],
  { ca, cert, key, record }: StoredClient,
  now: Date,
): Secret {
  if (key === undefined) throw externalKey(record.name);
  const text = renderTool(
    tool,
    all,
    (host) => `docker-tls client export ${record.name} --format ${tool} --hosts ${host}`,
  );
  const files = [
    { name: 'ca.pem', data: Buffer.from(ca), mode: 0o444 },
    { name: 'cert.pem', data: Buffer.from(cert), mode: 0o444 },
    { name: 'key.pem', data: key.reveal(), mode: 0o400 },
    { name: TOOL_TABLE[tool].file, data: Buffer.from(text), mode: 0o644 },
  ];
  return new Secret(packTar(files, now));
}

/** Remembers a copy in the client's record. False where the store cannot be written just now: what was asked for is done all the same. */
export async function rememberCopy(store: Store, client: string, copy: NewCopy, now: Date): Promise<boolean> {
  try {
    await store.withLock('docker-tls client export', async () => {
      const stored = (await store.read({ hosts: [] })).clients.get(client);
      if (stored === undefined) return;
      await store.write({ clients: { [client]: { ...stored, record: withHandedOut(stored, copy, now) } } });
    });
    return true;
  } catch (error) {
    if (error instanceof DockerTlsError) return false;
    throw error;
  }
}
