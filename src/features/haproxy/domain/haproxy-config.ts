/** Configuration of HAProxy as the listener: who is who, and what goes to the daemon. */

import {
  backendOf,
  clientServer,
  ISSUING_CA,
  OTHER_SERVER,
  type RoleClient,
  renderClients,
  socketServer,
} from './client-keys.ts';
import { HANDSHAKE_LOG, LOGGED, REQUEST_LOG } from './log-format.ts';
import { quoted } from './quoted.ts';
import { type Access, errorReplies, roleBackend } from './role-backend.ts';
import type { Role } from './roles.ts';

/** A unix socket on the host with a limited role. In the configuration it comes after those of the network. */
export type RoleSocket = { readonly name: string; readonly role: string };

export type HaproxyInput = {
  /** How many sockets of the network systemd passes: `${LISTEN3}` and so on, which the unit sets to `fd@3`. */
  readonly binds: number;
  readonly engineSocket: string;
  /** Absent if HAProxy is started without privileges. */
  readonly user?: { readonly user: string; readonly group: string };
  readonly clients: readonly RoleClient[];
  /** Names of clients that it rejects: no other client may have the same key in the map. */
  readonly rejected?: readonly string[];
  /** Common names of our CAs that sign certificates of clients directly. */
  readonly ownCas: readonly string[];
  /** Those in use. */
  readonly roles: readonly Role[];
  /**
   * The host accepts other CAs as well. The file `ISSUERS` has the SHA-256 of the chains (DER, without the leaf) that our clients send: a
   * certificate with another chain is not ours, whatever names are in it.
   */
  readonly others?: { readonly role?: string | undefined };
  readonly sockets: readonly RoleSocket[];
  /** Admin socket of a worker. */
  readonly cli: string;
};

export type RenderedHaproxy = { readonly config: string; readonly clients: string };

const MAP = `map_str(\${CLIENTS})`;

/** Connections of one client with a limited role, and requests that it has in progress. */
const MAX_CONNECTIONS = 200;
/**
 * Connections from one address, or from one IPv6 network of 64 bits, and how many may begin within ten seconds: a single computer cannot
 * take them all, with or without a certificate.
 */
export const MAX_FROM_ADDRESS = 1000;
const MAX_BEGUN = 3000;
export const MAX_TOTAL = 4000;
/** All sockets on the host together have as many besides. With two files for a connection that stays below every usual limit. */
const MAX_OF_SOCKETS = 2000;

/**
 * The configuration, and the map of clients beside it. The environment names `TLS` (the directory of `server-cert.pem`,
 * `server-cert.pem.key` and `ca-trusted.pem`), `CLIENTS` (the map), `ISSUERS` (below) and `LISTEN3`, `LISTEN4` …, so that the same text can
 * be checked elsewhere. In OpenSSL's trusted form HAProxy accepts a chain that ends in a client's issuing CA.
 * Fails with E_CLIENTS_ALIKE.
 */
export function renderConfig(input: HaproxyInput): RenderedHaproxy {
  const { clients, others, sockets } = input;
  const access: Access[] = [
    ...clients.map(({ name, role }) => ({ server: clientServer(name), role })),
    ...sockets.map(({ name, role }) => ({ server: socketServer(name), role })),
    ...(others?.role === undefined ? [] : [{ server: OTHER_SERVER, role: others.role }]),
  ];
  const parts: string[][] = [
    globalPart(input),
    ...(input.binds > 0 ? [networkFrontend(input)] : []),
    ...sockets.map((socket, index) => socketFrontend(socket, input.binds + index, ofSocket(sockets))),
    ...(input.binds > 0 ? [TABLES] : []),
    ...input.roles.map((role) => roleBackend(role, access, input.engineSocket)),
  ];
  return {
    config: `${parts.map((lines) => lines.join('\n')).join('\n\n')}\n`,
    clients: renderClients(clients, input.rejected ?? []),
  };
}

function globalPart({ user, cli, sockets }: HaproxyInput): string[] {
  return [
    '# Written by docker-tls, which replaces it at every change.',
    'global',
    ...(user === undefined ? [] : [`  user ${user.user}`, `  group ${user.group}`]),
    '  log stdout len 8192 format raw daemon',
    `  maxconn ${MAX_TOTAL + sockets.length * ofSocket(sockets)}`,
    `  stats socket ${quoted(cli)} mode 600 level admin`,
    '  # A resumed session has lost the chain of the certificate.',
    '  tune.ssl.cachesize 0',
    '  ssl-default-bind-options ssl-min-ver TLSv1.2 no-tls-tickets',
    '',
    'defaults',
    '  log global',
    `  log-format ${quoted(REQUEST_LOG)}`,
    `  error-log-format ${quoted(HANDSHAKE_LOG)}`,
    '  option clitcpka',
    '  clitcpka-idle 60s',
    '  # Handshakes and requests have to arrive. Streams (logs -f, events, exec) may be silent for days.',
    '  timeout client 30s',
    '.if version_atleast(3.0)',
    '  timeout client-hs 10s',
    '.endif',
    '  timeout http-request 10s',
    '  timeout http-keep-alive 30s',
    '  timeout connect 10s',
    '  timeout queue 10s',
    '  timeout server 7d',
    '  timeout tunnel 7d',
    ...errorReplies(),
  ];
}

function networkFrontend({ binds, ownCas, others, roles }: HaproxyInput): string[] {
  const tls = `ssl crt "\${TLS}/server-cert.pem" ca-file "\${TLS}/ca-trusted.pem" verify required alpn http/1.1`;
  // Rules that hold for certificates with one of our chains, or without a chain.
  const ours = (acl: string) => (others === undefined ? acl : `${acl} known_chain or ${acl} !has_chain`);
  return [
    'frontend docker',
    '  mode tcp',
    `  maxconn ${MAX_TOTAL}`,
    ...Array.from({ length: binds }, (_, index) => `  bind "\${LISTEN${index + 3}}" ${tls}`),
    '  option disable-h2-upgrade',
    '  tcp-request connection track-sc1 src,ipmask(32,64) table addresses',
    `  tcp-request connection reject if { sc1_conn_cur gt ${MAX_FROM_ADDRESS} } or { sc1_conn_rate gt ${MAX_BEGUN} }`,
    '',
    '  # The name is in the issuing CA of the client, or in its certificate if one of our CAs signed that directly.',
    `  acl issuing_ca ssl_c_i_dn(cn) -m reg ${quoted(ISSUING_CA)}`,
    ...(ownCas.length === 0 ? ['  acl own_ca always_false'] : []),
    ...ownCas.map((name) => `  acl own_ca ssl_c_i_dn(cn) -m str -- ${quoted(name)}`),
    ...(others === undefined
      ? []
      : [
          '  acl has_chain ssl_c_chain_der -m found',
          `  acl known_chain ssl_c_chain_der,sha2(256),hex -m str -f "\${ISSUERS}"`,
        ]),
    '  tcp-request session set-var(sess.key) ssl_c_sha1,hex',
    `  tcp-request session set-var(sess.issuer) "ssl_c_i_dn(cn),word(2,' ')"`,
    '  tcp-request session set-var(sess.subject) ssl_c_s_dn(cn)',
    `  tcp-request session set-var(sess.key) "str(issuer:),concat(,sess.issuer)" if ${ours('issuing_ca')}`,
    `  tcp-request session set-var(sess.key) "str(subject:),concat(,sess.subject)" if ${ours('own_ca')}`,
    '  tcp-request session track-sc0 var(sess.key) table clients',
    `  tcp-request session reject if { sc0_conn_cur gt ${MAX_CONNECTIONS} } !{ "var(sess.key),${MAP},word(2,/)" -m str full }`,
    '',
    `  tcp-request inspect-delay 10s`,
    '  tcp-request content set-var(txn.start) date(0,ms)',
    `  tcp-request content set-var(txn.kind) "str('unknown client')"`,
    '  tcp-request content set-var(txn.client) var(sess.subject),bytes(0,64)',
    `  tcp-request content set-var(txn.entry) "var(sess.key),${MAP}"`,
    '  acl known var(txn.entry) -m found',
    '  tcp-request content set-var(txn.kind) str(client) if known',
    '  tcp-request content set-var(txn.client) "var(txn.entry),word(1,/)" if known',
    '  tcp-request content set-var(txn.role) "var(txn.entry),word(2,/)" if known',
    '  tcp-request content set-var(txn.server) "var(txn.entry),word(3,/)" if known',
    ...otherRules(others),
    '  tcp-request content reject unless { var(txn.role) -m found }',
    '  tcp-request content switch-mode http unless { var(txn.role) -m str full }',
    ...FULL_RULES,
    '  # The map may have changed while the first bytes were awaited.',
    `  tcp-request content reject if { var(txn.kind) -m str client } !{ "var(sess.key),${MAP}" -m found }`,
    ...roles.map(({ name }) => `  use_backend ${backendOf(name)} if { var(txn.role) -m str ${name} }`),
    '  default_backend refused',
  ];
}

function otherRules(others: HaproxyInput['others']): string[] {
  if (others?.role === undefined) return [];
  const set = (name: string, value: string) =>
    `  tcp-request content set-var(txn.${name}) "str('${value}')" if !known !ours !issuing_ca !own_ca`;
  return [
    '  # A client of ours that is missing in the map was revoked. A name of ours with a chain that is not is nobody.',
    '  acl ours var(sess.key) -m beg issuer: subject:',
    set('kind', 'other client'),
    set('role', others.role),
    set('server', OTHER_SERVER),
  ];
}

/** Connections of one socket: containers that take them all leave those of the port, and of other sockets, alone. */
function ofSocket({ length }: readonly RoleSocket[]): number {
  return length === 0 ? 0 : Math.min(MAX_CONNECTIONS, Math.ceil(MAX_OF_SOCKETS / length));
}

function socketFrontend({ name, role }: RoleSocket, index: number, connections: number): string[] {
  const set = (key: string, value: string) => `  tcp-request content set-var(txn.${key}) ${value}`;
  return [
    `frontend ${socketServer(name)}`,
    '  mode http',
    '  option disable-h2-upgrade',
    `  maxconn ${connections}`,
    `  bind "\${LISTEN${index + 3}}"`,
    '  tcp-request inspect-delay 10s',
    set('start', 'date(0,ms)'),
    set('kind', 'str(socket)'),
    set('client', `str(${name})`),
    set('role', `str(${role})`),
    set('server', `str(${socketServer(name)})`),
    `  default_backend ${backendOf(role)}`,
  ];
}

/** What the log shows of a full client: its first request, without the query. */
const FULL_RULES = [
  '  tcp-request content set-var(txn.line) req.payload(0,0) if { req.len gt 0 }',
  `  tcp-request content set-var(txn.method) "var(txn.line),word(1,' '),bytes(0,${LOGGED.method})"`,
  `  tcp-request content set-var(txn.path) "var(txn.line),word(2,' '),word(1,?),bytes(0,${LOGGED.path})"`,
];

const TABLES = [
  'backend clients',
  '  stick-table type string len 128 size 10k expire 1h store conn_cur',
  '',
  'backend addresses',
  '  stick-table type ipv6 size 10k expire 1h store conn_cur,conn_rate(10s)',
  '',
  'backend refused',
  '  mode tcp',
  '  tcp-request content reject',
];
