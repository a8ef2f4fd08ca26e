/** Backends of HAProxy: one for each role, with a server for each client so that its connections can be cut alone. */

import { backendOf } from './client-keys.ts';
import { LOGGED } from './log-format.ts';
import { quoted } from './quoted.ts';
import { patternExpression } from './role-pattern.ts';
import type { Role } from './roles.ts';

/** A client, a socket, or all clients of other CAs: its server, and the role that it has. */
export type Access = { readonly server: string; readonly role: string };

/** Requests of one client with a limited role that the daemon works on; more wait, for `timeout queue`. */
const MAX_REQUESTS = 50;
const MAX_PATH = 2048;

export function roleBackend(role: Role, access: readonly Access[], engineSocket: string): string[] {
  const servers = access.filter((one) => one.role === role.name).map(({ server }) => server);
  const rules = role.full ? ['  mode tcp'] : httpRules(role);
  return [
    `backend ${backendOf(role.name)}`,
    ...rules,
    '  use-server %[var(txn.server)] if { var(txn.server) -m found }',
    ...servers.map(
      (server) => `  server ${server} ${quoted(`unix@${engineSocket}`)}${role.full ? '' : ` maxconn ${MAX_REQUESTS}`}`,
    ),
  ];
}

function httpRules(role: Role): string[] {
  const request = (rule: string) => `  http-request ${rule}`;
  return [
    '  mode http',
    '  # Each request has its own connection to the daemon, which ends with the client.',
    '  option http-server-close',
    '  option abortonclose',
    '  http-after-response set-var(txn.status) status',
    request(`set-var(txn.method) method,bytes(0,${LOGGED.method})`),
    request(`set-var(txn.path) path,bytes(0,${LOGGED.path})`),
    '  # As in a role: METHOD /path. Without an absolute URL, and without a body where the method has none.',
    request('set-var(txn.whole) path'),
    request(`set-var(txn.request) "method,concat(' ',txn.whole)" if { path_len le ${MAX_PATH} } { url_beg / }`),
    '  acl body req.hdr(transfer-encoding) -m found',
    '  acl body req.hdr(content-length) -m int gt 0',
    request('set-var(txn.request) str(body) if body { method GET HEAD }'),
    ...role.patterns.map((pattern) => `  acl allowed var(txn.request) -m reg ${quoted(patternExpression(pattern))}`),
    request(`return status 403 content-type application/json lf-string ${quoted(refusal(role.name))} unless allowed`),
    request('del-header Upgrade'),
    request('del-header HTTP2-Settings'),
  ];
}

/** What docker prints as `Error response from daemon: …`. */
function refusal(role: string): string {
  const message = `docker-tls: %[var(txn.kind)] %[var(txn.client),json(utf8s)] has the role ${role}, which does not allow %[var(txn.method),json(utf8s)] %[var(txn.path),json(utf8s)]`;
  return JSON.stringify({ message });
}

const REPLIES: readonly (readonly [status: number, text: string])[] = [
  [400, 'the request is not valid HTTP/1.1'],
  [408, 'the request did not arrive in time'],
  [503, 'the Docker daemon does not answer, or this client has too many requests in progress'],
  [502, 'the Docker daemon gave no valid answer'],
  [504, 'the Docker daemon did not answer in time'],
];

/** Errors of HAProxy itself, in the form that docker prints. */
export function errorReplies(): string[] {
  return REPLIES.map(
    ([status, text]) =>
      `  http-error status ${status} content-type application/json string ${quoted(JSON.stringify({ message: `docker-tls: ${text}` }))}`,
  );
}
