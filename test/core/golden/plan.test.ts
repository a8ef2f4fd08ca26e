/** Golden plans: facts recorded on real hosts and a desired state produce the stored plan, units and manifest. */

import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { DesiredCredentials } from '../../../src/core/domain/plan/desired.ts';
import { type HostFacts, installedCredentials, parseFacts, realPath } from '../../../src/core/domain/plan/facts.ts';
import { credentialEntries, fileEntries, renderManifest } from '../../../src/core/domain/plan/manifest.ts';
import { type HostPlan, planHost } from '../../../src/core/domain/plan/plan-host.ts';

import { planRestore } from '../../../src/core/domain/plan/plan-restore.ts';
import { certificateIds } from '../../../src/core/domain/trust/ca-id.ts';
import { desired, sent } from '../../support/host-facts.ts';
import { type Suite, suites } from '../../support/lab.ts';
import { CASES, type PlanCase } from './plan/cases.ts';

function factsOf({ facts, json }: PlanCase, suite: string): HostFacts {
  const found = parseFacts(readFileSync(new URL(`./plan/${suite}-${facts}.facts`, import.meta.url)));
  if (json === undefined) return found;
  const file = { kind: 'file', mode: '0644', owner: '0:0', content: json } as const;
  return { ...found, files: new Map([...found.files, [found.places.daemonJson, file]]) };
}

function planOf({ want }: PlanCase, found: HostFacts, suite: string): HostPlan {
  const wanted = { ...desired, name: `plan-${suite}` };
  if (want === 'as-it-is') return planHost(found, { ...wanted, credentials: installed(found) });
  return 'restore' in want ? planRestore(found, want.restore, wanted) : planHost(found, { ...wanted, ...want });
}

/** The credentials that the host already has. */
function installed(facts: HostFacts): DesiredCredentials {
  const { ca = '', cert = '' } = installedCredentials(facts) ?? {};
  return { trust: certificateIds(ca), certificate: { keep: certificateIds(cert) }, key: 'keep' };
}

/** The plan without the texts of files, then each resulting file, then the manifest. */
function rendered(plan: HostPlan, { places }: HostFacts): string {
  const { files, daemonJson: _, ...rest } = plan;
  const texts = files.map(({ kind, path, to, after }) =>
    kind === 'file' ? `--- ${path}\n${after}` : `--- ${path}: ${kind}${to === undefined ? '' : ` to ${to}`}\n`,
  );
  const protect = plan.containers.how === 'temporary' || plan.containers.how === 'switched-on';
  const credentials = plan.credentials === undefined ? [] : credentialEntries(plan, sent, places);
  const manifest = renderManifest([...credentials, ...fileEntries(plan, protect)]);
  return `${JSON.stringify(rest, undefined, 2)}\n${texts.join('')}--- manifest\n${manifest}`;
}

test.each([
  ['setup', ['tcp://0.0.0.0:2376 is replaced by port 2376 of docker-tls']],
  ['nothing', []],
])('in the plan %s of a host whose unit opens our port, the warnings about it are %j', (name, warnings) => {
  const [one] = CASES.filter((each) => each.name === name) as [PlanCase];
  const before = factsOf(one, 'bookworm');
  const fragment = realPath(before, before.docker.unit.fragment);
  const unit = before.files.get(fragment);
  if (unit?.kind !== 'file') throw new Error('no unit in the facts');
  const content = unit.content.replace('dockerd -H fd://', 'dockerd -H tcp://0.0.0.0:2376 --tlsverify -H fd://');
  const found = { ...before, files: new Map([...before.files, [fragment, { ...unit, content }]]) };
  const shown = planOf(one, found, 'bookworm').warnings.filter((text) => text.includes('is replaced by port'));
  expect(shown).toEqual(warnings);
});

describe.each<Suite>([...suites, 'rootless', 'podman'])('on %s', (suite) => {
  // A user's Docker does not harden the host.
  test.each(
    CASES.filter(({ name }) => suite !== 'rootless' || name !== 'setup-hardened').filter(
      // Podman has no daemon.json.
      ({ json }) => suite !== 'podman' || json === undefined,
    ),
  )('$name (UPDATE_GOLDEN=1 writes it anew: review the difference)', (one) => {
    const file = new URL(`./plan/${suite}-${one.name}.txt`, import.meta.url);
    const facts = factsOf(one, suite);
    const text = rendered(planOf(one, facts, suite), facts);
    if (process.env.UPDATE_GOLDEN !== undefined) writeFileSync(file, text);
    expect(text).toBe(readFileSync(file, 'utf8'));
  });
});
