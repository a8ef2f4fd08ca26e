/** Audits of a part of the checks: every report says so, and no selection passes because it is empty. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { evaluate } from '../../../../src/features/audit/domain/evaluate.ts';
import { ATTEMPTS, type Isolation } from '../../../../src/features/audit/domain/isolation.ts';
import { REPORT_FORMS } from '../../../../src/features/audit/domain/report/forms.ts';
import { type DocumentPlace, documentPlace } from '../../../support/golden-documents.ts';
import { removeHomes } from '../../../support/store.ts';
import { altered, recordedBytes } from '../support/audit-facts.ts';

let place: DocumentPlace;
beforeAll(async () => {
  place = await documentPlace();
  writeFileSync(join(place.directory, 'c.yml'), 'services:\n  web:\n    image: a:1\n');
  writeFileSync(join(place.directory, 'Dockerfile'), 'FROM a:1\n');
});
afterAll(removeHomes);
const audit = (...argv: string[]) =>
  place.run(['audit', ...argv], {}, { outputs: { audit: recordedBytes('fresh-trixie') } });
const idsOf = (run: Awaited<ReturnType<typeof audit>>): readonly string[] =>
  run.json.result.subjects[0].results.map(({ id }: { id: string }) => id);

test('--level judges the controls of the level, and no check of docker-tls itself', async () => {
  const [first, second] = [idsOf(await audit('h1', '--level', '1')), idsOf(await audit('h1', '--level', '2'))];
  expect([first.includes('2.2'), first.includes('2.10')]).toEqual([true, false]);
  expect([second.includes('2.2'), second.includes('2.10')]).toEqual([true, true]);
  expect([...first, ...second].filter((id) => !/^\d/.test(id))).toEqual([]);
  expect(idsOf(await audit('h1', '--level', '2', '--check', '2.*', '--benchmark', '1.6'))).toContain('2.9');
});

test.each(REPORT_FORMS)('the report says which part it is of: %s', async (form) => {
  const words = '--level 1 --check 2.* --check 5.1';
  const text = async (...argv: string[]) => {
    await audit('h1', ...argv, '--format', form, '--out', 'report');
    return readFileSync(join(place.directory, 'report'), 'utf8');
  };
  const part = await text(...words.split(' '));
  if (form === 'json') expect(JSON.parse(part).selection).toEqual({ level: '1', checks: ['2.*', '5.1'] });
  else expect(part).toSay('only-part-checks', words);
  const whole = await text();
  expect(whole).not.toMatch(/Only a part|"selection"/);
});

test('the JSON of --json says it as well', async () => {
  expect((await audit('h1', '--level', '2')).json.result.selection).toEqual({ level: '2', checks: [] });
  expect((await audit('h1')).json.result.selection).toBeUndefined();
});

test.each([
  [['h1', '--level', '1', '--check', 'tls.1'], '--check tls.1: there is no such check in --level 1'],
  [['h1', '--level', '1', '--check', '2.*', '--check', '2.10'], '--check 2.10: there is no such check in --level 1'],
  [['--dockerfile', 'Dockerfile', '--compose', 'c.yml', '--check', 'compose.5.5'], 'is for Dockerfiles'],
  [['h1', '--level', '1', '--probe-auditd'], '--probe-auditd is for the checks host.18'],
  [['h1', '--check', 'tls.*', '--probe-containers', '--yes'], '--probe-containers is for the checks 2.2, 2.10'],
  [['h1', '--level', '1', '--check', '5.*', '--probe-containers', '--yes'], 'none of them is selected'],
])('nothing would be checked: %j', async (argv, message) => {
  const { exit, json } = await audit(...argv);
  expect([exit, json.error?.code]).toEqual([2, 'E_USAGE']);
  expect(json.error?.message).toContain(message);
});

test('a probe goes ahead for any of its checks', async () => {
  expect((await audit('h1', '--check', 'host.18', '--probe-auditd')).exit).toBe(0);
  expect((await audit('h1', '--level', '1', '--probe-containers', '--yes')).exit).toBe(0);
});

test('the checks of --probe-containers are those that its answers change', async () => {
  const facts = altered('good-trixie', {});
  const isolation: Isolation = new Map(ATTEMPTS.map((name) => [name, { state: 'reached', text: 'changed' }] as const));
  const verdicts = (outside: object) => evaluate(facts, outside).map((result) => JSON.stringify(result));
  const plain = verdicts({});
  const changed = evaluate(facts, { isolation }).flatMap(({ id }, index) =>
    verdicts({ isolation })[index] === plain[index] ? [] : [id],
  );
  const { json } = await audit('h1', '--check', 'tls.1', '--probe-containers', '--yes');
  const named = json.error?.message.match(/(?:isolation|\d+)\.\d+/g) ?? [];
  expect([...named].sort()).toEqual([...changed].sort());
});
