/** `harden --report`: audits before and after, with Lynis if installed, and the report page. */

import { hostname } from 'node:os';
import type { StoreState } from '../../../core/adapters/store/records.ts';
import type { HostResult } from '../../../core/domain/host-results.ts';
import { type FileChange, loopbackWords, sysctlWords } from '../../../core/domain/plan/file-change.ts';
import type { HostOutcome } from '../../../core/domain/plan/outcome.ts';
import type { HostSpec } from '../../../core/domain/settings.ts';
import type { Changed, Run } from '../../../core/engine/intent.ts';
import { userName } from '../../../core/user.ts';
import { saveReport } from '../adapters/report-file.ts';
import { NEWEST } from '../domain/benchmark.ts';
import { subjectsOf } from '../domain/check-selection.ts';
import type { Fix } from '../domain/fixes.ts';
import { type HardenReport, type MadeChange, renderHardenReport } from '../domain/report/html-harden.ts';
import { reportHead, type Subject } from '../domain/report/report.ts';
import { auditHosts } from '../engine/audit-hosts.ts';

/** Audits the hosts now; the result includes hosts that fail. */
export async function auditNow(run: Run, state: StoreState, hosts: readonly HostSpec[]): Promise<readonly Subject[]> {
  return subjectsOf(await auditHosts(hosts, { ...run, state, selection: { checks: [] }, lynis: true }));
}

type Written = {
  readonly out: string;
  readonly run: Run;
  readonly before: readonly Subject[];
  readonly after: readonly Subject[];
  readonly changed: Changed;
  readonly leftOut: readonly Fix[];
};

/** Returns the absolute path. Fails with E_AUDIT_OUT (exit 2). */
export async function writeHardenReport({ out, run, before, after, changed, leftOut }: Written): Promise<string> {
  const { runtime } = run;
  const named = (subjects: readonly Subject[], name: string) => subjects.find((subject) => subject.name === name);
  const report: HardenReport = {
    ...reportHead(runtime.now(), DOCKER_TLS_VERSION, NEWEST),
    who: `${userName()}@${hostname()}`,
    leftOut,
    hosts: changed.results.map((result) => ({
      name: result.host,
      before: named(before, result.host),
      after: named(after, result.host),
      ...madeOn(result),
    })),
  };
  return saveReport(out, runtime.cwd, renderHardenReport(report));
}

function madeOn(result: HostResult<HostOutcome>) {
  if (result.kind !== 'done') {
    const error = result.kind === 'skipped' ? result.reason : result.errors.map(({ message }) => message).join('; ');
    return { changes: [], costs: [], notes: [], error };
  }
  const { plan, warnings } = result.value;
  return {
    changes: plan.files.map(changeOf),
    costs: plan.costs,
    notes: [...new Set([...plan.warnings, ...warnings])],
    error: undefined,
  };
}

function changeOf(change: FileChange): MadeChange {
  const { kind, path, mode, reason = '' } = change;
  switch (kind) {
    case 'sysctl':
      return { what: `kernel setting ${sysctlWords(change)}`, reason };
    case 'loopback':
      return { what: `firewall: ${loopbackWords(change)}`, reason };
    case 'member':
      return { what: `${path}: ${mode === 'present' ? 'added to' : 'taken out of'} the group`, reason };
    case 'attributes':
      return { what: `${path}: mode ${mode}`, reason };
    case 'absent':
      return { what: `${path}: removed`, reason };
    default:
      return { what: path, reason };
  }
}
