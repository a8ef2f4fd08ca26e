/** Runner of the golden plans: facts recorded on real hosts and a desired state produce the stored plan, units and manifest. */

import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { DesiredCredentials } from '../../src/core/domain/plan/desired.ts';
import { type HostFacts, installedCredentials, parseFacts } from '../../src/core/domain/plan/facts.ts';
import { credentialEntries, fileEntries, renderManifest } from '../../src/core/domain/plan/manifest.ts';
import { type HostPlan, planHost } from '../../src/core/domain/plan/plan-host.ts';
import { planRestore } from '../../src/core/domain/plan/plan-restore.ts';
import { certificateIds } from '../../src/core/domain/trust/ca-id.ts';
import type { PlanCase } from '../core/golden/plan/cases.ts';
import { desired, sent } from './host-facts.ts';
import type { Suite } from './lab.ts';

/** `directory`: of the recorded facts. */
export function recordedFacts({ facts, json }: PlanCase, directory: URL, suite: string): HostFacts {
  const found = parseFacts(readFileSync(new URL(`${suite}-${facts}.facts`, directory)));
  if (json === undefined) return found;
  const file = { kind: 'file', mode: '0644', owner: '0:0', content: json } as const;
  return { ...found, files: new Map([...found.files, [found.places.daemonJson, file]]) };
}

export function planOf({ want }: PlanCase, found: HostFacts, suite: string): HostPlan {
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

export function checkGoldenPlans(suite: Suite, directory: URL, cases: readonly PlanCase[]): void {
  describe(`on ${suite}`, () => {
    test.each(cases)('$name (UPDATE_GOLDEN=1 writes it anew: review the difference)', (one) => {
      const file = new URL(`${suite}-${one.name}.txt`, directory);
      const facts = recordedFacts(one, directory, suite);
      const text = rendered(planOf(one, facts, suite), facts);
      if (process.env.UPDATE_GOLDEN !== undefined) writeFileSync(file, text);
      expect(text).toBe(readFileSync(file, 'utf8'));
    });
  });
}
