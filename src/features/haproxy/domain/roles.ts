/** Roles: which requests of the Docker Engine API a client may send. */

import { ROLE_NAME } from '../../../core/domain/names.ts';
import { DockerTlsError, printable, usage } from '../../../errors/errors.ts';
import { MONITOR, READ } from './built-in-lines.ts';
import { ALWAYS, parsePattern, patternExpression, type RolePattern } from './role-pattern.ts';

export type Role = {
  readonly name: string;
  readonly about: string;
  /** Everything: requests are not looked at. `patterns` is empty then. */
  readonly full: boolean;
  readonly patterns: readonly RolePattern[];
};

const MAX_LINES = 200;
const NAME = new RegExp(`^${ROLE_NAME}$`);

export const BUILT_IN_ROLES: readonly Role[] = [
  { name: 'full', about: 'everything, which is root on the host', full: true, patterns: [] },
  builtIn('read', 'what reads and neither shows a secret nor runs a program', READ),
  builtIn('monitor', 'state, lists, events and statistics', MONITOR),
];

/** Podman prints the value of a secret (`?showsecret=true`), and rules do not see queries. */
const SHOWS_SECRETS = 'GET /secrets/*';

/** The same before Podman. */
export const PODMAN_ROLES: readonly Role[] = BUILT_IN_ROLES.map((role) => ({
  ...role,
  patterns: role.patterns.filter(({ text }) => text !== SHOWS_SECRETS),
}));

export type ParsedRole = { readonly role: Role } | { readonly problems: readonly string[] };

/** A role of one's own, from its lines. Every problem is named. */
export function parseRole(name: string, lines: readonly string[], about = 'a role of the fleet file'): ParsedRole {
  const problems: string[] = [];
  if (!NAME.test(name))
    problems.push(
      `"${name.slice(0, 40)}" cannot be the name of a role: use up to 32 lower-case letters, digits and -, a letter first`,
    );
  if (BUILT_IN_ROLES.some((role) => role.name === name)) problems.push(`the role ${name} is built in`);
  return parseLines(name, about, lines, problems);
}

function parseLines(name: string, about: string, lines: readonly string[], problems: string[]): ParsedRole {
  const patterns: RolePattern[] = [];
  if (lines.length > MAX_LINES) problems.push(`the role ${name} has more than ${MAX_LINES} lines`);
  for (const line of [...lines, ...ALWAYS.filter((one) => !lines.includes(one))]) {
    const parsed = parsePattern(line);
    if ('problem' in parsed) problems.push(parsed.problem);
    else if (patterns.some(({ text }) => text === line)) problems.push(`"${line}": it is there twice`);
    else patterns.push(parsed);
  }
  return problems.length > 0 ? { problems } : { role: { name, about, full: false, patterns } };
}

function builtIn(name: string, about: string, lines: readonly string[]): Role {
  const parsed = parseLines(name, about, lines, []);
  if ('problems' in parsed) throw new Error(parsed.problems.join('; '));
  return parsed.role;
}

/** Roles of one's own, from the rules of a host (`ROLE METHOD /path`). Fails with E_ROLE (exit 2). */
export function rolesOf(rules: readonly string[]): Role[] {
  const lines = new Map<string, string[]>();
  for (const rule of rules) {
    const [name = '', ...words] = rule.split(' ');
    lines.set(name, [...(lines.get(name) ?? []), words.join(' ')]);
  }
  const parsed = [...lines].map(([name, own]) => parseRole(name, own));
  const problems = parsed.flatMap((one) => ('problems' in one ? one.problems : []));
  if (problems.length > 0)
    throw new DockerTlsError('E_ROLE', problems.join('; '), { hints: ['docker-tls role show read'] });
  return parsed.flatMap((one) => ('role' in one ? [one.role] : []));
}

/** Fails with E_ROLE_UNKNOWN. */
export function findRole(roles: readonly Role[], name: string): Role {
  const found = roles.find((role) => role.name === name);
  if (found !== undefined) return found;
  throw new DockerTlsError('E_ROLE_UNKNOWN', `there is no role ${printable(name)}`, {
    hints: ['docker-tls role list'],
  });
}

/** `METHOD /path` as a user types it. Fails with E_USAGE. */
export function checkRequest(text: string): string {
  if (/^[^ ]+ \/[^ ]*$/.test(text)) return text;
  throw usage(`"${printable(text)}" is not a request: write a method, one space and a path`, [
    'docker-tls role test read "GET /v1.45/containers/json"',
  ]);
}

/** The line of `role` that allows `request` (`GET /v1.45/containers/json`, with or without a query); undefined: none does. */
export function allows(role: Role, request: string): string | undefined {
  if (role.full) return 'everything';
  const [bare = ''] = request.split('?');
  return role.patterns.find((pattern) => new RegExp(patternExpression(pattern)).test(bare))?.text;
}

/** Requests that make a client root on the host, whatever else its role refuses. */
const ROOT = [
  'POST /containers/create',
  'POST /containers/x/exec',
  'POST /containers/x/update',
  'PUT /containers/x/archive',
  'POST /build',
  'POST /services/create',
  'POST /services/x/update',
  'POST /plugins/pull',
  'POST /plugins/create',
  'POST /plugins/x/upgrade',
  'POST /plugins/x/set',
  'POST /swarm/init',
  'POST /swarm/join',
  'POST /session',
  'POST /grpc',
  // Podman's own. An imported checkpoint has a configuration of its own, and so has the first container of a pod.
  ...[
    ...['containers/create', 'containers/x/exec', 'containers/x/update', 'containers/x/restore', 'pods/create'],
    ...['build', 'local/build', 'play/kube', 'kube/play', 'quadlets', 'commit'],
  ].map((path) => `POST /libpod/${path}`),
  'PUT /libpod/containers/x/archive',
];

/** Lines of a role with which a client can become root on the host. */
export function rootLines(role: Role): readonly string[] {
  return role.full ? [] : [...new Set(ROOT.flatMap((request) => allows(role, request) ?? []))];
}

/** Reading that no built-in role allows, of things that do not exist; an unlimited client gets the daemon's answer. */
const OUTSIDE = ['/configs/docker-tls', '/containers/docker-tls/export', '/docker-tls'];

/** Path that `role` must not GET. Fails with E_ROLE_UNKNOWN. */
export function outsideRole(role: Role): string | undefined {
  return OUTSIDE.find((path) => allows(role, `GET ${path}`) === undefined);
}
