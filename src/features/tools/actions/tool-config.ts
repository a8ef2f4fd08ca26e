/** Tool configuration for a client of the store, and a record of the exported credentials. */

import type { StoredClient, StoreState } from '../../../core/adapters/store/records.ts';
import { dockerHost } from '../../../core/domain/destination.ts';
import { contextNameOf } from '../../../core/domain/names.ts';
import { shellQuote } from '../../../core/domain/quote.ts';
import { Secret } from '../../../core/domain/secret.ts';
import { externalKey } from '../../../core/domain/trust/client-refusals.ts';
import type { ReachableHost } from '../../../core/domain/trust/reachable-hosts.ts';
import type { ToolPlace } from '../../../core/seams/formats.ts';
import { DockerTlsError } from '../../../errors/errors.ts';
import { packTar } from '../../../formats/tar.ts';
import { contextCommand, type ToolAccess } from '../domain/tool-access.ts';
import { TOOLS, type ToolName } from '../domain/tool-names.ts';
import { renderTool } from '../domain/tools.ts';

/** A tool on this machine: it reads the store's files, and docker-tls keeps its context up to date (`program`: the local command name). */
export function accessHere(
  { record }: ReachableHost,
  client: StoredClient & { readonly directory: string },
  program: string,
): ToolAccess {
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

/**
 * Commands that configure a local tool for the host, as in `env --format`, without comments; empty for a host or client that the store
 * lacks.
 */
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

/** A tool on a machine without the store; the files are in its `directory`. */
function accessThere(
  { name, host }: { readonly name: string; readonly host: string },
  client: string,
  directory: string,
): ToolAccess {
  const access = { host: name, endpoint: host, client, directory };
  const context = contextNameOf(name);
  return { ...access, context: { name: context, command: contextCommand(access, context) } };
}

/**
 * Archive for such a machine: the client's three files and the tool's configuration. Fails with E_CLIENT_NO_KEY, E_CLIENT_NOT_ACCEPTED, and
 * like renderTool.
 */
export function toolArchive(
  tool: ToolName,
  { ca, cert, key, record }: StoredClient,
  { hosts, directory, naming }: ToolPlace,
  now: Date,
): Secret {
  if (key === undefined) throw externalKey(record.name);
  const [first, ...others] = hosts.map((host) => accessThere(host, record.name, directory));
  if (first === undefined)
    throw new DockerTlsError('E_CLIENT_NOT_ACCEPTED', `no host accepts this client, so ${tool} would have no host`, {
      where: record.name,
      hints: ['docker-tls client list'],
    });
  const text = renderTool(tool, [first, ...others], naming);
  const files = [
    { name: 'ca.pem', data: Buffer.from(ca), mode: 0o444 },
    { name: 'cert.pem', data: Buffer.from(cert), mode: 0o444 },
    { name: 'key.pem', data: key.reveal(), mode: 0o400 },
    { name: TOOLS[tool].file, data: Buffer.from(text), mode: 0o644 },
  ];
  return new Secret(packTar(files, now));
}
