/** Connections that end when clients lose access. */

import { inspectCertificate } from '../../../core/domain/pki/inspect.ts';
import { backendOf, ISSUING_CA, OTHER_SERVER, SOCKET_SERVER } from './client-keys.ts';

const LINE = /^((?:issuer|subject):[\w.@+-]+) [\w.@+-]+\/([a-z][a-z0-9-]*)\/([\w:.-]+)$/;

type Entry = { readonly key: string; readonly backend: string; readonly server: string; readonly line: string };

function entriesOf(map: string): Entry[] {
  return map.split('\n').flatMap((line) => {
    const [, key = '', role = '', server = ''] = LINE.exec(line) ?? [];
    return key === '' ? [] : [{ key, backend: backendOf(role), server, line }];
  });
}

/** Entries of the map to forget, and `BACKEND/SERVER` of connections to end; `*`: all connections. */
export type Cut = { readonly keys: readonly string[]; readonly servers: readonly string[] | '*' };

/** Texts of the map and of the configuration. */
type Texts = { readonly clients: string; readonly config: string };

/**
 * The connections of every client whose line in the map is gone or another, whose role has other rules, or whose issuing CA is in `removed`
 * (PEM); those of every socket for programs on the host with another role, or other rules of it. All of them if a removed CA does not say whose it is. `ours`: subjects of our CAs, whose clients all have lines. Undefined: none.
 */
export function planCut(
  before: Texts,
  after: Texts,
  removed: readonly string[],
  ours: readonly string[],
): Cut | undefined {
  const owners = removed.filter((pem) => !ours.includes(subjectOf(pem))).map((pem) => ownerOf(pem));
  if (owners.includes(undefined)) return { keys: [], servers: '*' };
  const kept = new Set(entriesOf(after.clients).map(({ line }) => line));
  const [old, next] = [backendsOf(before.config), backendsOf(after.config)];
  const isSame = (backend: string) => old.get(backend)?.rules === next.get(backend)?.rules;
  const changed = entriesOf(before.clients).filter(({ line, backend }) => !kept.has(line) || !isSame(backend));
  const replaced = entriesOf(before.clients).filter(({ key }) => owners.includes(key));
  const others = [...old].filter(
    ([backend, { others }]) => others && !(isSame(backend) && next.get(backend)?.others === true),
  );
  const sockets = [...socketsOf(before.config)].filter(
    ([server, backend]) => socketsOf(after.config).get(server) !== backend || !isSame(backend),
  );
  const servers = [
    ...sockets.map(([server, backend]) => `${backend}/${server}`),
    ...[...changed, ...replaced].map(({ backend, server }) => `${backend}/${server}`),
    ...others.map(([backend]) => `${backend}/${OTHER_SERVER}`),
  ];
  return servers.length === 0 ? undefined : { keys: changed.map(({ key }) => key), servers: [...new Set(servers)] };
}

/** Backend of each socket for programs on the host. */
function socketsOf(config: string): Map<string, string> {
  return new Map(
    config.split('\n\n').flatMap((block) => {
      const [, server] = /^frontend (\S+)$/m.exec(block) ?? [];
      const [, backend] = /^ {2}default_backend (\S+)$/m.exec(block) ?? [];
      const isSocket = server?.startsWith(SOCKET_SERVER) === true;
      return isSocket && backend !== undefined ? [[server, backend] as const] : [];
    }),
  );
}

/** Backends of a configuration: their rules without the servers, and whether clients of other CAs use them. */
function backendsOf(config: string): Map<string, { readonly rules: string; readonly others: boolean }> {
  return new Map(
    config.split('\n\n').flatMap((block) => {
      const [head = '', ...lines] = block.trimEnd().split('\n');
      const [word, name] = head.split(' ');
      if (word !== 'backend' || name === undefined) return [];
      const isServer = (line: string) => line.startsWith('  server ');
      const others = lines.some((line) => line.startsWith(`  server ${OTHER_SERVER} `));
      return [[name, { rules: lines.filter((line) => !isServer(line)).join('\n'), others }] as const];
    }),
  );
}

/** Subject of a certificate from a host; empty if it is unreadable. */
function subjectOf(pem: string): string {
  try {
    return inspectCertificate(pem).subject;
  } catch {
    return '';
  }
}

/** Key of the client whose issuing CA this is. */
function ownerOf(pem: string): string | undefined {
  const subject = subjectOf(pem);
  return new RegExp(ISSUING_CA).test(subject) ? `issuer:${subject.split(' ')[1]}` : undefined;
}
