/** Golden plans of hosts with systemd and Docker. */

import { expect, test } from 'vitest';
import { realPath } from '../../../src/core/domain/plan/facts.ts';
import { checkGoldenPlans, planOf, recordedFacts } from '../../support/golden-plans.ts';
import { suites } from '../../support/lab.ts';
import { CASES, type PlanCase } from './plan/cases.ts';

const DIRECTORY = new URL('./plan/', import.meta.url);

test.each([
  ['setup', ['tcp://0.0.0.0:2376 is replaced by port 2376 of docker-tls']],
  ['nothing', []],
])('in the plan %s of a host whose unit opens our port, the warnings about it are %j', (name, warnings) => {
  const [one] = CASES.filter((each) => each.name === name) as [PlanCase];
  const before = recordedFacts(one, DIRECTORY, 'bookworm');
  const fragment = realPath(before, before.docker.unit.fragment);
  const unit = before.files.get(fragment);
  if (unit?.kind !== 'file') throw new Error('no unit in the facts');
  const content = unit.content.replace('dockerd -H fd://', 'dockerd -H tcp://0.0.0.0:2376 --tlsverify -H fd://');
  const found = { ...before, files: new Map([...before.files, [fragment, { ...unit, content }]]) };
  const shown = planOf(one, found, 'bookworm').warnings.filter((text) => text.includes('is replaced by port'));
  expect(shown).toEqual(warnings);
});

for (const suite of suites) checkGoldenPlans(suite, DIRECTORY, CASES);
