/** Notes of a plan without changes: the plan still prints them, because nothing else does. */

import pico from 'picocolors';
import { expect, test } from 'vitest';
import type { GlobalOptions } from '../../../src/core/actions/action-context.ts';
import type { Changed } from '../../../src/core/actions/results.ts';
import { textFile } from '../../../src/core/domain/plan/file-change.ts';
import type { HostOutcome } from '../../../src/core/domain/plan/outcome.ts';
import { completeHost } from '../../../src/core/domain/settings.ts';
import type { PlannedHost } from '../../../src/core/engine/intent.ts';
import { renderMade } from '../../../src/core/render/change-result.ts';
import { fileView, renderFileView } from '../../../src/core/render/file-view.ts';
import { costLines, renderOutcome } from '../../../src/core/render/host-outcome.ts';
import { renderPlan, renderPlans } from '../../../src/core/render/plan-text.ts';
import type { Runtime } from '../../../src/core/runtime.ts';
import { usage } from '../../../src/errors/errors.ts';

const plain = pico.createColors(false);
const form = { colours: plain };
const WARNING = 'icc: no longer asked for, and what was changed for it stays';

function still(name: string, warnings: readonly string[]): PlannedHost {
  const plan = {
    host: name,
    purpose: 'apply',
    port: 2376,
    files: [],
    daemon: { action: 'none' },
    listener: { action: 'none' },
    warnings,
  };
  const spec = completeHost({ name, ssh: { destination: name } });
  return {
    plan,
    spec,
    address: name,
    facts: { os: 'Debian', docker: { version: '28' } },
    otherCas: [],
  } as unknown as PlannedHost;
}

test('of one host', () => {
  expect(renderPlan(still('web', [WARNING]), form)).toSay('do-warning-no-longer', 'icc');
  const outcome = { ...still('web', [WARNING]), host: 'web', changed: false, checks: [], warnings: [], elapsedMs: 1 };
  expect(renderOutcome(outcome as unknown as HostOutcome, plain)).toContain(`! ${WARNING}`);
});

test.each([
  [true, 'web: done in 2.5 s, generation 4'],
  [false, 'web: done, generation 4'],
])('a change says its time (%s) where the progress does not', (timed, head) => {
  const { plan } = still('web', []);
  const outcome = { plan: { ...plan, generation: 4 }, host: 'web', changed: true, checks: [], warnings: [] };
  const text = renderOutcome({ ...outcome, elapsedMs: 2500, otherCas: [] } as unknown as HostOutcome, plain, { timed });
  expect(text.split('\n')[0]).toBe(head);
});

test('one host that failed has its error alone, several have a table', () => {
  const failed = (host: string) => ({ kind: 'failed', host, errors: [usage('no', [])], elapsedMs: 1 }) as const;
  const io = { outIsTerminal: false, errIsTerminal: false, colour: false, columns: 80 };
  const runtime = { io, signal: new AbortController().signal } as unknown as Runtime;
  const text = (...hosts: string[]) =>
    renderMade({ results: hosts.map(failed), wanted: {}, copies: new Map() } as unknown as Changed, {
      runtime,
      global: {} as GlobalOptions,
    }).text;
  expect(text('web')).toBe('');
  expect(text('web', 'db')).toMatch(/^HOST +RESULT[\s\S]*web +failed[\s\S]*db +failed/);
});

test('a file of ours that is gone was deleted by hand, not edited', () => {
  const change = (before?: string) => ({ ...textFile('/etc/x', 'new\n'), drift: true, before });
  const shown = (before?: string) => renderFileView(fileView(change(before), false), plain)[0];
  expect(shown()).toSay('deleted-hand-since', '/etc/x');
  expect(shown('old\n')).toSay('edited-hand-since', '/etc/x');
  const base = still('web', []);
  const plan = { ...base.plan, files: [change()] };
  const outcome = { ...base, plan, host: 'web', changed: true, checks: [], warnings: [], elapsedMs: 1 };
  expect(renderOutcome(outcome as unknown as HostOutcome, plain)).toSay('deleted-hand-written-again', '/etc/x');
});

test('of many, each sentence once', () => {
  const hosts = [still('web', [WARNING]), still('db', [WARNING]), still('ci', [])];
  const results = hosts.map((value) => ({ kind: 'done' as const, host: value.spec.name, value, elapsedMs: 1 }));
  const text = renderPlans(results, form);
  expect(text).toSay('nothing-to-do-on-hosts', 0, 3, 'web, db and ci', 'web and db', WARNING);
});

test('by harden once, whether something was to do or not, and never as the host wrote it', () => {
  for (const changed of [true, false]) {
    const base = still('web', [`${WARNING}\u001b[2J`]);
    const outcome = {
      ...base,
      plan: { ...base.plan, costs: ['icc: a\u0007'] },
      host: 'web',
      changed,
      checks: [],
      warnings: [],
      elapsedMs: 1,
    };
    const text = [renderOutcome(outcome as unknown as HostOutcome, plain), ...costLines(outcome as never)].join('\n');
    expect(text.split(WARNING)).toHaveLength(2);
    expect(text).toContain('web: costs: icc: a');
    expect(text).not.toMatch(/[\u0007\u001b]/);
  }
});
