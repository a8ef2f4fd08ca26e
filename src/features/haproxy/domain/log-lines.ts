/** Log lines of HAProxy, as the journal of a host returns them: untrusted, so every field is checked. */

import { isIP } from 'node:net';
import { nameProblem, ROLE_NAME } from '../../../core/domain/names.ts';
import { LOGGED } from './log-format.ts';

const ROLE = new RegExp(`^${ROLE_NAME}$`);
const KINDS = ['client', 'socket', 'other client', 'unknown client'] as const;

/** A request of a limited client, or a connection of one with full access. */
export type LoggedRequest = {
  /** `other client`: of another CA that the host accepts. `unknown client`: rejected, for it has no role. */
  readonly kind: (typeof KINDS)[number];
  /** The name; of a client that is not ours the subject of its certificate. Undefined: the certificate has no name. */
  readonly client: string | undefined;
  readonly role: string | undefined;
  /** Undefined for a socket. */
  readonly address: string | undefined;
  /** Of a client with full access those of its first request. Undefined: no HTTP/1 request was seen. */
  readonly method: string | undefined;
  /** Without the query. */
  readonly path: string | undefined;
  /** Undefined for connections with full access, and where no answer came. */
  readonly status: number | undefined;
  readonly durationMs: number;
};

/** The request of a log line; undefined for every other text. */
export function parseLogLine(line: string): LoggedRequest | undefined {
  if (line.length > 8192 || !line.startsWith('{"docker-tls":"request",')) return undefined;
  const fields = textFields(line);
  if (fields === undefined) return undefined;
  const [client, method, path] = [present(fields.client), present(fields.method), present(fields.path)];
  const [role, address, status] = [present(fields.role), present(fields.address), present(fields.status)];
  const kind = KINDS.find((known) => known === fields.kind);
  const own = kind === 'client' || kind === 'socket';
  if (kind === undefined || !/^[0-9]{1,12}$/.test(fields.ms ?? '')) return undefined;
  if (own && (client === undefined || nameProblem(client) !== undefined)) return undefined;
  if (!own && client !== undefined && client.length > LOGGED.subject) return undefined;
  if (role !== undefined && !ROLE.test(role)) return undefined;
  if (kind !== 'unknown client' && role === undefined) return undefined;
  if (kind === 'socket' ? address !== 'unix' : isIP(address ?? '') === 0) return undefined;
  if (status !== undefined && !/^[1-5][0-9][0-9]$/.test(status)) return undefined;
  const request = readRequest(method, path);
  return {
    ...{ kind, client, role, ...request, durationMs: Number(fields.ms) },
    // The socket takes IPv4 connections as IPv6.
    address: kind === 'socket' ? undefined : address?.replace(/^::ffff:(?=\d+\.)/, ''),
    status: status === undefined ? undefined : Number(status),
  };
}

/** What is not a method and a path of HTTP/1 is left out: with full access a client may send anything. */
function readRequest(method: string | undefined, path: string | undefined) {
  const valid =
    method !== undefined && path !== undefined && /^[A-Za-z]{1,32}$/.test(method) && /^\/[\x21-\x7e]*$/.test(path);
  return valid ? { method, path: path.slice(0, LOGGED.path) } : { method: undefined, path: undefined };
}

function textFields(line: string): Readonly<Record<string, string>> | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const entries = Object.entries(value);
  return entries.every((entry): entry is [string, string] => typeof entry[1] === 'string')
    ? Object.fromEntries(entries)
    : undefined;
}

/** HAProxy writes - for what it does not know. */
function present(text: string | undefined): string | undefined {
  return text === undefined || text === '' || text === '-' ? undefined : text;
}
