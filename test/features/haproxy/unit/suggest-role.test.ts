import { expect, test } from 'vitest';
import { ENDPOINTS } from '../../../../src/features/haproxy/domain/endpoints.ts';
import { parsePattern } from '../../../../src/features/haproxy/domain/role-pattern.ts';
import { allows, parseRole } from '../../../../src/features/haproxy/domain/roles.ts';
import { renderSuggestion, suggestRole } from '../../../../src/features/haproxy/domain/suggest-role.ts';

const requests = (...lines: readonly string[]) =>
  lines.map((line) => ({ method: line.split(' ')[0] ?? '', path: line.split(' ')[1] ?? '' }));

test('every endpoint is a line that a role can have, once', () => {
  for (const line of ENDPOINTS) expect(parsePattern(line), line).not.toHaveProperty('problem');
  expect(new Set(ENDPOINTS).size).toBe(ENDPOINTS.length);
});

test('requests become the lines of their endpoints', () => {
  const seen = requests(
    'HEAD /_ping',
    'GET /v1.45/version',
    'GET /v1.45/containers/0a1b2c/json',
    'GET /v1.45/containers/web/json',
    'GET /v1.45/containers/json',
    'GET /images/registry:5000/team/app:1/json',
    'POST /v1.45/containers/web/restart',
    'GET /v1.45/networks/prune',
    'GET /libpod/info',
    'GET /containers/a%2fb/json',
    'TRACE /info',
  );
  const suggested = suggestRole(seen);
  expect(suggested).toEqual({
    lines: [
      'GET /containers/json',
      'GET /containers/*/json',
      'POST /containers/*/restart',
      'GET /images/**/json',
      'GET /networks/*',
      'GET /libpod/info',
    ],
    left: ['GET /containers/a%2fb/json', 'TRACE /info'],
  });
  const parsed = parseRole('own', suggested.lines);
  if ('problems' in parsed) throw new Error(parsed.problems.join());
  expect(seen.slice(0, 9).filter(({ method, path }) => allows(parsed.role, `${method} ${path}`) === undefined)).toEqual(
    [],
  );
  expect(renderSuggestion('Web.CI@home', suggested).split('\n').slice(0, 2)).toEqual([
    'roles:',
    '  - web-ci-home-role GET /containers/json',
  ]);
});
