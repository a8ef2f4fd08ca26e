/** Plans of many hosts: equal changes are shown once, differences separately. */

import pico from 'picocolors';
import { expect, test } from 'vitest';
import { planHost } from '../../../src/core/domain/plan/plan-host.ts';
import { completeHost } from '../../../src/core/domain/settings.ts';
import { keptOf, writeKept } from '../../../src/core/domain/settings-stored.ts';
import type { PlannedHost } from '../../../src/core/engine/intent.ts';
import { renderPlans } from '../../../src/core/render/plan-text.ts';
import { desired, factsOf } from '../../support/host-facts.ts';

const colours = pico.createColors(false);

function planned(index: number, port = 2376, running: readonly string[] = ['web']): PlannedHost {
  const name = `build-${String(index).padStart(2, '0')}`;
  const facts = factsOf({});
  const plan = planHost(facts, { ...desired, name, port });
  const containers = {
    ...plan.containers,
    how: 'live-restore' as const,
    running: running.map((one) => ({ name: `${one}-${index}`, id: one, restart: 'always' })),
  };
  return {
    plan: { ...plan, containers },
    facts,
    spec: completeHost({ name, port, ssh: { destination: `10.0.0.${index}` } }),
    address: `10.0.0.${index}`,
    names: [],
    accepts: ['me'],
  } as unknown as PlannedHost;
}

const results = (hosts: readonly PlannedHost[]) =>
  hosts.map((value) => ({ kind: 'done' as const, host: value.spec.name, value, elapsedMs: 1 }));

test('50 hosts that change in the same way fit on one screen', () => {
  const text = renderPlans(results(Array.from({ length: 50 }, (_, index) => planned(index))), { colours, columns: 80 });
  expect(text.split('\n').length).toBeLessThan(24);
  expect(text).toSay('fifty-alike', 50, 0, 'build-00, build-01, ', 38);
  expect(text).toContain('50 containers keep running');
  expect(text.match(/system\/docker-tls\.socket$/gm)).toHaveLength(1);
});

test('one that changes in another way stands apart, and so does everything with -v', () => {
  const hosts = results([planned(1), planned(2), planned(3, 2399, []), planned(4, 2376, [])]);
  const text = renderPlans(hosts, { colours, columns: 80, diff: true });
  expect(text).toSay('change-restarts-containers-stop', '4', '0');
  expect(text).toSay('hosts-same-way', '2', 'build-01', 'build-02');
  expect(text).toContain('build-03  10.0.0.3:2399');
  // That host runs no container.
  expect(text).toContain('build-04  10.0.0.4:2376');
  const each = renderPlans(hosts, { colours, columns: 80, verbose: true });
  for (const name of ['build-01', 'build-02', 'build-03', 'build-04'])
    expect(each).toMatch(new RegExp(`^${name}  10`, 'm'));
  expect(each).not.toMatch(/^\d+ hosts /m);
});

test.each([80, 120])('ten different hosts fit into 24 lines of %d columns, with what each costs', (columns) => {
  const hosts = Array.from({ length: 10 }, (_, index) => {
    const host = planned(index, 2376 + index, index % 2 === 0 ? ['web'] : []);
    const { plan } = host;
    if (index !== 3) return host;
    const containers = { ...plan.containers, how: 'stop' as const, wouldStop: [{ name: 'db' }] };
    const cut = { ...plan, containers, costs: ['icc: x'], warnings: ['mind'] };
    return { ...host, plan: cut, otherCas: [{ subject: 'Theirs', fingerprint: 'F', notAfter: new Date(0) }] };
  }) as unknown as PlannedHost[];
  const text = renderPlans(results(hosts), { colours, columns });
  expect(text).toSay('change-restarts-container-stops', '10', '1');
  const lines = text.split('\n');
  expect(lines.length).toBeLessThanOrEqual(24);
  expect(lines.filter((line) => line.length > columns)).toEqual([]);
  for (let index = 0; index < 10; index += 1) expect(text).toMatch(new RegExp(`^  ~ build-0${index}: .*restart`, 'm'));
  for (const note of ['costs    build-03: icc: x', 'accepts  ', 'warning  build-03: mind', '(in full: -v)'])
    expect(text).toContain(note);
  expect(renderPlans(results(hosts), { colours, columns, verbose: true })).toMatch(/^build-09 {2}10\.0\.0\.9:2385/m);
});

test('restarts and reloads of the listener, and other ports, are in the sum and in the brief lines', () => {
  const actions = ['none', 'reload', 'reload', 'restart', 'start'] as const;
  const hosts = actions.map((action, index) => {
    const host = planned(index);
    const daemon = { ...host.plan.daemon, action: 'none' as const };
    const listener = { ...host.plan.listener, action, reason: `of ${index}` };
    return index === 0 ? host : { ...host, plan: { ...host.plan, daemon, listener, costs: [`${index}`] } };
  });
  const settings = { ...keptOf(completeHost({ name: 'h1', ssh: { destination: 'h1' } })), port: 2399 };
  const generations = [{ number: 2, at: '', by: '', reason: '', settings: writeKept(settings) }];
  const state = { schema: 1, name: 'h1', generation: 2, generations, managed: [] };
  const facts = factsOf({ 'file:/var/lib/docker-tls/state.json': `file 600 0:0\n${JSON.stringify(state)}` });
  const moved = planned(9);
  const all = [...hosts, { ...moved, facts, plan: planHost(facts, { ...desired, name: 'build-09' }) }];
  const text = renderPlans(results(all), { colours });
  expect(text).toSay('change-restarts-listener-start', '6', '2', '1', '0');
  expect(text).toMatch(/~ build-01: .*files, listener reload;/);
  expect(text).toMatch(/~ build-09: .*restart, port 2376 \(was 2399\)/);
  expect(renderPlans(results(all), { colours, verbose: true })).toMatch(/^ {2}port +2376 \(was 2399\)$/m);
  expect(planHost(facts, { ...desired, port: 2399 }).formerPort).toBeUndefined();
  const streams = hosts.slice(1).map((host) => /^ {2}streams /m.test(renderPlans(results([host]), { colours })));
  expect(streams).toEqual([false, false, true, false]);
});

test('--diff shows the content of new files', () => {
  const hosts = results([planned(1)]);
  expect(renderPlans(hosts, { colours })).not.toContain('ListenStream');
  expect(renderPlans(hosts, { colours, diff: true })).toContain('ListenStream=2376');
});
