import { expect, test } from 'vitest';
import {
  allows,
  BUILT_IN_ROLES,
  findRole,
  outsideRole,
  parseRole,
  type Role,
  rolesOf,
  rootLines,
} from '../../../../src/features/haproxy/domain/roles.ts';

const [FULL, READ, MONITOR] = ['full', 'read', 'monitor'].map((name) => findRole(BUILT_IN_ROLES, name)) as [
  Role,
  Role,
  Role,
];

function roleOf(...lines: readonly string[]): Role {
  const parsed = parseRole('own', lines);
  if ('problems' in parsed) throw new Error(parsed.problems.join('\n'));
  return parsed.role;
}

test.each([
  ['GET /containers/json', 'GET /v1.45/containers/json', true],
  ['GET /containers/json', 'GET /containers/json', true],
  ['GET /containers/json', 'GET /containers/json?all=1', true],
  ['GET /containers/json', 'HEAD /containers/json', false],
  ['GET /containers/json', 'get /containers/json', false],
  ['GET /containers/json', 'GET /containers/json/', false],
  ['GET /containers/json', 'GET /containers/jsonx', false],
  ['GET /containers/json', 'GET /v1.45/v1.45/containers/json', false],
  ['GET /containers/json', 'GET /v1/containers/json', false],
  // Before 1.24, a start of a container could change its settings.
  ['POST /containers/*/start', 'POST /v1.23/containers/x/start', false],
  ['POST /containers/*/start', 'POST /v1.24/containers/x/start', true],
  ['POST /containers/*/start', 'POST /v0.99/containers/x/start', false],
  ['GET /containers/json', 'XGET /containers/json', false],
  ['GET /containers/json', 'GET /x/containers/json', false],
  ['GET /containers/*/logs', 'GET /v1.45/containers/web_1.app:x@y+z-1/logs', true],
  ['GET /containers/*/logs', 'GET /containers/a/b/logs', false],
  ['GET /containers/*/logs', 'GET /containers/../logs', false],
  ['GET /containers/*/logs', 'GET /containers/./logs', false],
  ['GET /containers/*/logs', 'GET /containers//logs', false],
  ['GET /containers/*/logs', 'GET /containers/a%2fb/logs', false],
  ['GET /containers/*/logs', 'GET /containers/-a/logs', false],
  ['GET /containers/*/logs', 'GET /containers/a/logs\n', false],
  ['GET /images/**/json', 'GET /images/registry:5000/team/app@sha256:0a/json', true],
  ['GET /images/**/json', 'GET /images/app/json', true],
  ['GET /images/**/json', 'GET /images/a/../b/json', false],
  ['GET /images/**/json', 'GET /images/a//b/json', false],
  ['GET /images/**/json', 'GET /images/json', false],
  ['GET /images/**', 'GET /images/a/b', true],
  ['POST,DELETE /containers/*', 'DELETE /containers/a', true],
  ['POST,DELETE /containers/*', 'PUT /containers/a', false],
  ['GET /v.1', 'GET /vx1', false],
  // Podman's own API.
  ['GET /libpod/containers/json', 'GET /v5.4.2/libpod/containers/json', true],
  ['GET /libpod/containers/json', 'GET /v5.4/libpod/containers/json', true],
  ['GET /libpod/containers/json', 'GET /libpod/containers/json', true],
  ['GET /libpod/containers/json', 'GET /v5.4.2/containers/json', false],
  ['GET /libpod/containers/json', 'GET /v5.4.2.1/libpod/containers/json', false],
  ['GET /libpod/images/**/json', 'GET /v5.4.2/libpod/images/quay.io/a/b/json', true],
  ['GET /containers/json', 'GET /v1.41/libpod/containers/json', false],
  ['GET /containers/json', 'GET /v5.4.2/containers/json', false],
  ['GET /*/info', 'GET /libpod/info', false],
  ['GET /*/info', 'GET /v1.41/libpod/info', false],
  ['GET /*/*/info', 'GET /v5.4.2/libpod/info', false],
  ['GET /*/*/json', 'GET /v1.41/libpod/containers/json', false],
  ['GET /*/*/json', 'GET /v1.41/containers/app/json', true],
  ['GET /*/info', 'GET /libpodx/info', true],
])('the line %s and the request %s: %s', (line, request, allowed) => {
  expect(allows(roleOf(line), request)).toBe(allowed ? line : undefined);
});

test.each([
  ['', expect.stringMatching(/empty line/)],
  ['GET', expect.toSay('space-path')],
  ['GET  /info', expect.toSay('space-path')],
  ['GET /info ', expect.toSay('space-path')],
  ['/info', expect.toSay('space-path')],
  ['get /info', expect.toSay('get-methods')],
  ['GET, /info', expect.toSay('nothing-methods')],
  ['CONNECT /info', expect.stringMatching(/CONNECT is not/)],
  ['GET,GET /info', expect.stringMatching(/method twice/)],
  ['GET info', expect.stringMatching(/begins with \//)],
  ['GET /', expect.stringMatching(/no path/)],
  ['GET //info', expect.stringMatching(/empty part/)],
  ['GET /info/', expect.stringMatching(/empty part/)],
  ['GET /v1.45/info', expect.toSay('leave-out-version')],
  ['GET /info?x=1', expect.toSay('leave-out-query')],
  ['GET /containers/%2e', expect.stringMatching(/encoded/)],
  ['GET /containers/../info', expect.stringMatching(/\.\. is not allowed/)],
  ['GET /containers/./info', expect.stringMatching(/\. is not allowed/)],
  ['GET /containers/a*', expect.stringMatching(/whole part/)],
  ['GET /containers/***', expect.stringMatching(/whole part/)],
  ['GET /containers/**', expect.stringMatching(/only \/images/)],
  ['GET /**', expect.stringMatching(/only \/images/)],
  ['GET /images/**/**', expect.stringMatching(/only fixed parts/)],
  ['GET /images/**/*', expect.stringMatching(/only fixed parts/)],
  ['GET /images/*/**', expect.stringMatching(/only fixed parts/)],
  ["GET /a'b", expect.stringMatching(/characters other than/)],
  ['GET /a"b', expect.stringMatching(/characters other than/)],
  ['GET /a\\b', expect.stringMatching(/characters other than/)],
  ['GET /(a|b)', expect.stringMatching(/characters other than/)],
  ['GET /a\n', expect.stringMatching(/characters other than/)],
  ['GET /.hidden', expect.stringMatching(/characters other than/)],
  [`GET /${'a'.repeat(300)}`, expect.stringMatching(/more than 256/)],
])('the line %j is refused', (line, problem) => {
  expect(parseRole('own', [line])).toEqual({ problems: [problem] });
});

test('every problem of a role is named', () => {
  expect(parseRole('Own', ['get /info', 'GET /info?x'])).toEqual({
    problems: [expect.any(String), expect.any(String), expect.any(String)],
  });
  expect(parseRole('read', ['GET /info'])).toEqual({ problems: [expect.toSay('role-read-built')] });
  expect(parseRole('own', ['GET /info', 'GET /info'])).toEqual({ problems: [expect.toSay('twice', '"GET /info"')] });
  expect(
    parseRole(
      'own',
      Array.from({ length: 201 }, (_, index) => `GET /a${index}`),
    ),
  ).toEqual({
    problems: [expect.toSay('role-more-lines', '200')],
  });
});

test('every role lets a client negotiate the version', () => {
  for (const role of [...BUILT_IN_ROLES, roleOf('POST /containers/*/restart')])
    for (const request of ['HEAD /_ping', 'GET /_ping', 'GET /v1.24/version', 'HEAD /v1.52/_ping'])
      expect(allows(role, request), `${role.name} ${request}`).toBeDefined();
});

/** GET requests that show secrets or files, run something, or connect to a registry. */
const NOT_READ = [
  ...['/configs', '/configs/x', '/swarm', '/swarm/unlockkey', '/containers/x/archive', '/containers/x/export'],
  ...[
    '/images/get',
    '/images/x/get',
    '/images/a/b/get',
    '/containers/x/top',
    '/containers/x/attach/ws',
    '/images/search',
  ],
  ...['/distribution/x/json', '/plugins/privileges', '/debug/vars', '/debug/pprof/heap', '/exec/x/start', '/session'],
].map((path) => `GET ${path}`);

test('read and monitor neither change anything nor show a secret', () => {
  for (const role of [READ, MONITOR]) {
    for (const { methods } of role.patterns)
      expect(methods.filter((method) => !['GET', 'HEAD'].includes(method))).toEqual([]);
    expect(NOT_READ.filter((request) => allows(role, request) !== undefined)).toEqual([]);
    expect(rootLines(role)).toEqual([]);
  }
  expect(NOT_READ.filter((request) => allows(FULL, request) === undefined)).toEqual([]);
});

test('monitor shows no environment variables and no output of containers', () => {
  for (const path of [
    '/containers/x/json',
    '/containers/x/logs',
    '/services',
    '/tasks',
    '/images/x/json',
    '/exec/x/json',
  ]) {
    expect(allows(MONITOR, `GET ${path}`)).toBeUndefined();
    expect(allows(READ, `GET ${path}`)).toBeDefined();
  }
});

test('lines that make a client root are found, also behind a *', () => {
  expect(rootLines(roleOf('POST /containers/create', 'GET /info', 'POST /containers/*/exec'))).toEqual([
    'POST /containers/create',
    'POST /containers/*/exec',
  ]);
  expect(rootLines(roleOf('POST /containers/*'))).toEqual(['POST /containers/*']);
  expect(rootLines(roleOf('POST /containers/*/restart'))).toEqual([]);
  for (const path of ['containers/*/restore', 'pods/create', 'local/build', 'quadlets'])
    expect(rootLines(roleOf(`POST /libpod/${path}`))).toEqual([`POST /libpod/${path}`]);
});

test('every limited role has a request that it must refuse, for verification', () => {
  expect(outsideRole(findRole(BUILT_IN_ROLES, 'monitor'))).toBe('/configs/docker-tls');
  expect(outsideRole(findRole(BUILT_IN_ROLES, 'read'))).toBe('/configs/docker-tls');
  const own = rolesOf(['files GET /configs/*']);
  expect(outsideRole(findRole(own, 'files'))).toBe('/containers/docker-tls/export');
  expect(outsideRole(findRole(BUILT_IN_ROLES, 'full'))).toBeUndefined();
});
