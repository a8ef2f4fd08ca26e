/** Isolation, tried from inside: what the probes print, hostile output, and the question before. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ATTEMPTS, parseIsolation } from '../../../../src/features/audit/domain/isolation.ts';
import { auditHost } from '../../../../src/features/audit/domain/report/report.ts';
import { ISOLATION_SCRIPT } from '../../../../src/features/audit/host/audit-scripts.ts';
import { type DocumentPlace, documentPlace } from '../../../support/golden-documents.ts';
import { removeHomes } from '../../../support/store.ts';
import { altered, recordedBytes } from '../support/audit-facts.ts';

test('every attempt has a result, and one that was not made is never a pass', () => {
  for (const output of ['', 'end\n', 'all unknown no perl\nend\n', 'raw blocked x\n', 'raw perhaps x\nend\n']) {
    const found = parseIsolation(output);
    expect([...found.keys()]).toEqual([...ATTEMPTS]);
    const blocked = [...found].filter(([, { state }]) => state !== 'unknown').map(([name]) => name);
    expect(blocked).toEqual(output.startsWith('raw blocked') ? ['raw'] : []);
  }
});

test('of several answers the gravest counts: reached, then unknown', () => {
  const of = (...states: string[]) => parseIsolation(states.map((one) => `api ${one} x\n`).join('')).get('api')?.state;
  expect([of('blocked', 'unknown'), of('unknown', 'blocked')]).toEqual(['unknown', 'unknown']);
  expect([of('reached', 'unknown'), of('unknown', 'reached')]).toEqual(['reached', 'reached']);
});

test('each attempt of the script is known, and the other way round', () => {
  const named = [...ISOLATION_SCRIPT.matchAll(/\bsaid\("(\w+)"/g)].map(([, name]) => name);
  expect([...new Set(named)].sort()).toEqual([...ATTEMPTS].sort());
});

test('text of a host is cleaned', () => {
  const text = parseIsolation('raw blocked \u001b[31mred\u0007\nend\n').get('raw')?.text ?? '';
  expect(text).toContain('red');
  expect(text).not.toMatch(/[\u001b\u0007]/);
});

test('no score while an attempt that was asked for could not be made', () => {
  const facts = altered('good-trixie', {});
  expect(auditHost('h1', facts, {}).score.value).toBeDefined();
  const asked = auditHost('h1', facts, { isolation: parseIsolation('all unknown no perl\nend\n') });
  expect(asked.score.value).toBeUndefined();
  expect(asked.score.explanation).toContain('no perl');
});

describe('the command', () => {
  let place: DocumentPlace;
  beforeAll(async () => {
    place = await documentPlace();
  });
  afterAll(removeHomes);
  const outputs = (isolation: string) => ({
    outputs: { audit: recordedBytes('fresh-trixie'), isolation: Buffer.from(isolation) },
  });
  const audit = (argv: readonly string[], output = 'raw reached ICMP\nend\n') =>
    place.run(['audit', 'h1', ...argv], {}, outputs(output));
  const states = (run: Awaited<ReturnType<typeof audit>>) =>
    Object.fromEntries(
      run.json.result.subjects[0].results.map(({ id, state }: { id: string; state: string }) => [id, state]),
    );

  test('asks first', async () => {
    const refused = await audit(['--probe-containers']);
    expect([refused.exit, refused.json.error?.code]).toEqual([2, 'E_NO_TERMINAL']);
    expect(refused.json.error?.hints.join('\n')).toContain('--yes');
  });

  test('with a yes the containers are tried; without the option they are not, whatever the yes', async () => {
    expect(states(await audit(['--probe-containers', '--yes']))['isolation.6']).toBe('finding');
    expect(states(await audit(['--yes']))['isolation.6']).toBe('not-applicable');
    expect(states(await audit(['--probe-containers', '--dry-run']))['isolation.6']).toBe('not-applicable');
  });
});
