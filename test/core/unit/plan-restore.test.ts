/** Removals when a host is restored: the plan reports every file that was edited by hand. */

import pico from 'picocolors';
import { expect, test } from 'vitest';
import { plainTcpProblem } from '../../../src/core/domain/plan/plain-tcp.ts';
import { planRestore } from '../../../src/core/domain/plan/plan-restore.ts';
import { completeHost } from '../../../src/core/domain/settings.ts';
import type { OpenedHost } from '../../../src/core/engine/intent.ts';
import { planRestored } from '../../../src/core/engine/steps/restore-generation.ts';
import { handEdits } from '../../../src/core/render/host-outcome.ts';
import { renderPlan } from '../../../src/core/render/plan-text.ts';
import { desired, FACTS_TIME_MS, factsOf, UNIT } from '../../support/host-facts.ts';

const JSON_FILE = '/etc/docker/daemon.json';
const STATE = '/var/lib/docker-tls';

function given(now: string, more: Readonly<Record<string, string>> = {}) {
  const managed = [{ kind: 'file', path: JSON_FILE }];
  return factsOf({
    [`file:${JSON_FILE}`]: `file 644 0:0\n${now}`,
    [`file:${STATE}/state.json`]: `file 600 0:0\n${JSON.stringify({ schema: 1, name: 'h1', generation: 1, generations: [], managed })}`,
    [`file:${STATE}/origin/manifest`]: `file 600 0:0\n1\tabsent\t-\t-\t${JSON_FILE}\n`,
    [`file:${STATE}/generations/1/manifest`]: `file 600 0:0\n1\tfile\t644\t0:0\t${JSON_FILE}\n`,
    [`file:${STATE}/generations/1/1`]: 'file 644 0:0\n{ "icc": false }\n',
    ...more,
  });
}

test.each([
  ['{ "icc": false, "labels": ["a=b"] }\n', [JSON_FILE]],
  ['{ "icc": false }\n', []],
])('a file of ours that holds %j goes, and what was edited by hand is shown: %j', (now, edited) => {
  const facts = given(now);
  const plan = planRestore(facts, 'none', desired);
  expect(plan.files.map(({ kind, path }) => [kind, path])).toEqual([['absent', JSON_FILE]]);
  expect(handEdits(plan)).toEqual(edited);
  const spec = completeHost({ name: 'h', ssh: { destination: 'h' } });
  const text = renderPlan({ plan, facts, address: 'h', spec }, { colours: pico.createColors(false), columns: 80 });
  const shown = (listen: string[] = []) =>
    renderPlan(
      { plan, facts, address: '10.0.0.1', spec: { ...spec, listen } },
      { colours: pico.createColors(false), columns: 80 },
    ).split('\n')[0];
  expect([shown(), shown(['none'])]).toEqual([
    expect.stringContaining('  10.0.0.1:2376'),
    expect.stringContaining('  10.0.0.1, no port'),
  ]);
  expect(text.includes('edited by hand since')).toBe(edited.length > 0);
  expect(text.includes('-{ "icc": false, "labels": ["a=b"] }')).toBe(edited.length > 0);
});

test.each([
  ['dockerd is gone', { dockerd: '' }, 'LoadState=loaded'],
  ['its unit is gone', {}, 'LoadState=not-found'],
])('%s: what is left is taken away, and a daemon that runs all the same is not stopped', (_, more, load) => {
  const planned = (active: string) =>
    planRestore(given('{ "icc": false }\n', { ...more, unit: `${load}\nActiveState=${active}` }), 'none', desired)
      .daemon;
  expect(planned('inactive').action).toBe('stop');
  expect(planned('failed').action).toBe('stop');
  expect(planned('active').action).toBe('restart');
});

const OPTIONS = '/etc/default/docker';

test.each([
  ['by $DOCKER_OPTS', 'DOCKER_OPTS="-H tcp://0.0.0.0:2375"\n', {}, ['tcp://0.0.0.0:2375']],
  [
    'with TLS, but no certificate asked for',
    'DOCKER_OPTS="--tls --tlsverify=false -H tcp://0.0.0.0:2376"\n',
    {},
    ['tcp://0.0.0.0:2376'],
  ],
  ['that asks for a certificate', 'DOCKER_OPTS="--tlsverify -H tcp://0.0.0.0:2376"\n', {}, []],
  [
    'of another socket unit',
    '',
    { sockets: 'Id=x.socket\nListen=[::]:2375 (Stream)\nActiveState=active' },
    ['[::]:2375 (x.socket)'],
  ],
  ['nowhere', 'DOCKER_OPTS="--debug"\n', {}, []],
])('remove warns of a TCP port %s, and takes a yes of its own', (_, origin, more, opens) => {
  const managed = [{ kind: 'file', path: OPTIONS }];
  const facts = factsOf({
    [`file:${OPTIONS}`]: 'file 644 0:0\nDOCKER_OPTS=""\n',
    [`file:${STATE}/state.json`]: `file 600 0:0\n${JSON.stringify({ schema: 1, name: 'h1', generation: 1, generations: [], managed })}`,
    [`file:${STATE}/origin/manifest`]: `file 600 0:0\n1\tfile\t644\t0:0\t${OPTIONS}\n`,
    [`file:${STATE}/origin/1`]: `file 644 0:0\n${origin}`,
    ...more,
  });
  const plan = planRestore(facts, 'none', desired);
  expect(plan.opens).toEqual(opens);
  expect(plan.warnings.filter((warning) => warning.includes('opens again'))).toHaveLength(opens.length);
  expect(plainTcpProblem(plan).map(({ code }) => code)).toEqual(opens.map(() => 'E_OPENS_PLAIN_TCP'));
});

test('a unit that keeps dockerd from the port keeps no file of ours on the host', () => {
  const facts = given('{ "icc": false }\n', {
    [`file:${UNIT}`]: 'file 644 0:0\n[Service]\nExecStart=/usr/sbin/dockerd -H fd://\nPrivateNetwork=yes\n',
  });
  const opened = { session: { login: { destination: 'root@h1' }, dialled: 'h1' }, facts, skewMs: 0 };
  const spec = completeHost({ name: 'h1', ssh: { destination: 'h1' } });
  const latest = { clients: new Map(), oldCas: [], issuers: new Map() };
  const context = { to: 'none', latest, now: new Date(FACTS_TIME_MS), shown: true };
  const { plan, problems } = planRestored(
    opened as unknown as OpenedHost,
    spec,
    context as unknown as Parameters<typeof planRestored>[2],
  );
  expect(problems).toEqual([]);
  expect(plan.files.map(({ path }) => path)).toEqual([JSON_FILE]);
});
