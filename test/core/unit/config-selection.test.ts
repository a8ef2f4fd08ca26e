/** Selection of hosts: names, patterns, parts. */

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { meantHosts, parseShard, selectHosts } from '../../../src/core/domain/hosts/selection.ts';
import { DockerTlsError } from '../../../src/errors/errors.ts';

const hosts = ['web-1', 'web-2', 'web-10', 'db.example.org', 'dbxexample.org'].map((name) => ({ name }));
const chosen = (...limit: string[]) => selectHosts(hosts, { limit }).map(({ name }) => name);

function refusal(run: () => unknown): DockerTlsError {
  try {
    run();
  } catch (error) {
    if (error instanceof DockerTlsError) return error;
    throw error;
  }
  throw new Error('nothing was wrong');
}

test.each<[limit: string[], names: string[]]>([
  [[], hosts.map(({ name }) => name)],
  [['web-1'], ['web-1']],
  [['web-?'], ['web-1', 'web-2']],
  [['web-*'], ['web-1', 'web-2', 'web-10']],
  [['*-1*'], ['web-1', 'web-10']],
  [
    ['db*', 'web-2'],
    ['web-2', 'db.example.org', 'dbxexample.org'],
  ],
  // A dot matches only a dot, and a pattern matches the whole name.
  [['db.example.*'], ['db.example.org']],
])('--limit %j', (limit, names) => {
  expect(chosen(...limit)).toEqual(names);
});

test('HOSTs and --limit both narrow: what is chosen is named by one and matches the other', () => {
  expect(meantHosts(['web-1', 'web-2'], ['*-2'], hosts)).toEqual(['web-2']);
  expect(meantHosts([], ['*-2'], hosts)).toEqual(['*-2']);
  expect(meantHosts(['web-1'], ['*-2'], hosts)).toEqual(['web-1 and *-2 at once']);
});

test.each(['web', 'WEB-1', 'web-[12]', '*-3', '(', 'web-1|db', '?'])(
  '--limit %s matches nothing, which is an error',
  (limit) => {
    const error = refusal(() => chosen('web-1', limit));
    expect(error).toMatchObject({ code: 'E_LIMIT', exit: 2 });
    expect(error.message).toContain(limit);
    expect(error.hints[0]).toContain('web-10');
  },
);

test.each(['', '0/4', '5/4', '1', '1/', '/4', '1/0', '-1/4', '1/4/2', 'a/b', '1.5/4', ' 1/4'])(
  '--shard %j is refused',
  (text) => {
    expect(refusal(() => parseShard(text))).toMatchObject({ code: 'E_USAGE', exit: 2, hints: ['--shard 1/4'] });
  },
);

test('the parts of a run have every host once, whatever its order, and differ by one host at most', () => {
  const names = fc.uniqueArray(fc.stringMatching(/^[a-z0-9]{1,8}$/), { maxLength: 40 });
  fc.assert(
    fc.property(names, fc.integer({ min: 1, max: 9 }), (all, count) => {
      const named = all.map((name) => ({ name }));
      const part = (list: readonly { name: string }[], index: number) =>
        selectHosts(list, { shard: parseShard(`${index}/${count}`) }).map(({ name }) => name);
      const indexes = Array.from({ length: count }, (_, index) => index + 1);
      const parts = indexes.map((index) => part(named, index));
      expect(parts.flat().sort()).toEqual([...all].sort());
      const sizes = parts.map(({ length }) => length);
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      for (const index of indexes) {
        expect(part(named.toReversed(), index).sort()).toEqual([...(parts[index - 1] ?? [])].sort());
      }
    }),
  );
});

test.each([
  ['GitLab', { CI_NODE_INDEX: '2', CI_NODE_TOTAL: '5' }, { index: 2, count: 5 }],
  ['a Kubernetes Indexed Job', { JOB_COMPLETION_INDEX: '0', DOCKER_TLS_SHARDS: '4' }, { index: 1, count: 4 }],
  ['Nomad', { NOMAD_ALLOC_INDEX: '3', DOCKER_TLS_SHARDS: '4' }, { index: 4, count: 4 }],
  ['GitHub', { DOCKER_TLS_SHARD_INDEX: '1', DOCKER_TLS_SHARDS: '2' }, { index: 2, count: 2 }],
])('--shard auto on %s', (_, env, shard) => {
  expect(parseShard('auto', env)).toEqual(shard);
});

test.each([
  {},
  { JOB_COMPLETION_INDEX: '0' },
  { NOMAD_ALLOC_INDEX: '4', DOCKER_TLS_SHARDS: '4' },
  { CI_NODE_INDEX: '0', CI_NODE_TOTAL: '4' },
  { JOB_COMPLETION_INDEX: 'x', DOCKER_TLS_SHARDS: '4' },
])('--shard auto in %j is refused: no host may be left out or done twice', (env) => {
  expect(refusal(() => parseShard('auto', env))).toMatchObject({ code: 'E_USAGE', exit: 2 });
});
