/** Butane file of a plan: no secret, every managed path with its records, and refusals of other content. */

import { describe, expect, test } from 'vitest';
import { KINDS, kindOf } from '../../../../src/core/domain/plan/host-kind.ts';
import { planHost } from '../../../../src/core/domain/plan/plan-host.ts';
import { keptOf } from '../../../../src/core/domain/settings-stored.ts';
import { renderButane } from '../../../../src/features/tools/domain/butane-config.ts';
import { desired, factsOf, sent } from '../../../support/host-facts.ts';
import { readButane } from '../support/ignition.ts';

// A kind without systemd, whether or not its feature is here.
KINDS.take('openrc', () => ({ ...kindOf({}), name: 'openrc', systemctl: [] }));

const OPTIONS = {
  who: 'ann@desk',
  now: new Date('2026-06-01T12:00:00Z'),
  reason: 'first boot',
  settings: keptOf({}),
  keep: 5,
  filesDirectory: '/home/ann/.docker/tls',
};
const JSON_PATH = '/etc/docker/daemon.json';

function fileOf(facts = factsOf(), more: Partial<typeof desired> = {}) {
  const plan = planHost(facts, { ...desired, ...more });
  const text = renderButane(plan, facts, OPTIONS);
  return { text, plan, ...readButane(text) };
}

describe('a Butane file', () => {
  test('names the files of the store, and holds none of them', () => {
    const { text, storage, variant, version } = fileOf();
    expect([variant, version]).toEqual(['fcos', '1.5.0']);
    const local = storage.files.filter(({ contents }) => contents.local !== undefined);
    expect(local.map(({ path, mode, contents }) => [path, mode.toString(8), contents.local])).toEqual([
      ['/etc/docker/tls/1/ca.pem', '444', 'hosts/h1/ca.pem'],
      ['/etc/docker/tls/1/server-cert.pem', '444', 'hosts/h1/server-cert.pem'],
      ['/etc/docker/tls/1/server-key.pem', '400', 'hosts/h1/server-key.pem'],
    ]);
    for (const secret of [sent.ca, sent.cert, 'KEY']) expect(text).not.toContain(`inline: ${secret}`);
    expect(storage.directories).toContainEqual({ path: '/etc/docker/tls/1', mode: 0o700 });
  });

  test('every path once, as Ignition asks for, and every managed path with its copy and its origin', () => {
    const before = '{ "debug": true }';
    const { plan, storage } = fileOf(factsOf({ [`file:${JSON_PATH}`]: `file 640 0:7\n${before}` }), {
      liveRestore: true,
    });
    const paths = [...storage.directories, ...storage.files, ...storage.links].map(({ path }) => path);
    expect(new Set(paths).size).toBe(paths.length);
    for (const { path } of plan.managed) expect(paths).toContain(path);
    const json = storage.files.find(({ path }) => path === JSON_PATH);
    expect(json).toMatchObject({ mode: 0o640, user: { id: 0 }, group: { id: 7 } });
    expect(json?.contents.inline).toContain('live-restore');
    const inline = (path: string) => storage.files.find((file) => file.path === path)?.contents.inline ?? '';
    const line = inline('/var/lib/docker-tls/origin/manifest')
      .split('\n')
      .find((one) => one.endsWith(JSON_PATH));
    const [index, ...rest] = (line ?? '').split('\t');
    expect(rest).toEqual(['file', '640', '0:7', JSON_PATH]);
    expect(inline(`/var/lib/docker-tls/origin/${index}`)).toBe(before);
    const state = JSON.parse(inline('/var/lib/docker-tls/state.json'));
    expect(state).toMatchObject({ schema: 1, name: 'h1', generation: 1, managed: plan.managed });
    expect(state.generations).toHaveLength(1);
  });

  test('of Flatcar it is a file of that variant', () => {
    const { variant, version } = fileOf(factsOf({ os: 'NAME="Flatcar"\nID=flatcar\n' }));
    expect([variant, version]).toEqual(['flatcar', '1.1.0']);
  });

  test.each([
    ['now', { [`file:${JSON_PATH}`]: 'file 644 0:0\n{"log-tag":"\ufffd"}' }],
    [
      'before docker-tls',
      {
        [`file:${JSON_PATH}`]: 'file 644 0:0\n{}',
        'file:/var/lib/docker-tls/origin/manifest': `file 600 0:0\n1\tfile\t644\t0:0\t${JSON_PATH}\n`,
      },
    ],
  ])('is refused where a file is no text that could be written: %s', (_, sections) => {
    const facts = factsOf(sections);
    const plan = planHost(facts, { ...desired, liveRestore: true });
    expect(() => renderButane(plan, facts, OPTIONS)).toThrow(expect.toSay('not-text-file', JSON_PATH));
  });

  test.each([
    ['without systemd', { kind: 'openrc' }, OPTIONS.settings],
    ['a key that the host made', {}, { ...OPTIONS.settings, keys: 'host' as const }],
  ])('is refused: %s', (_, sections, settings) => {
    const facts = factsOf(sections);
    const plan = planHost(facts, desired);
    expect(() => renderButane(plan, facts, { ...OPTIONS, settings })).toThrow(
      expect.objectContaining({ code: 'E_BUTANE', exit: 2 }),
    );
  });
});
