/** One golden --json document of each command of the audit. UPDATE_GOLDEN=1 writes them. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { Probe } from '../../../../src/core/runtime.ts';
import { offeredCommands } from '../../../../src/core/seams/offered-commands.ts';
import { runCli } from '../../../support/cli.ts';
import { documentPlace, expectGolden } from '../../../support/golden-documents.ts';
import { removeHomes } from '../../../support/store.ts';
import { recordedBytes } from '../support/audit-facts.ts';

afterAll(removeHomes);

const directory = new URL('json/', import.meta.url);
const hosts = { outputs: { audit: recordedBytes('fresh-trixie') } };
const probe: Probe = async () => ({
  ...{ kind: 'refused', cause: 'connection-refused', reason: 'no answer', chain: '', elapsedMs: 1 },
});

test('audit', async () => {
  const place = await documentPlace();
  writeFileSync(join(place.directory, 'compose.yml'), 'services:\n  web:\n    image: nginx\n    privileged: true\n');
  const checks = ['--check', '2.8,5.5,compose.5.5,tls.*'];
  const made = await place.run(['audit', 'h1', '--compose', 'compose.yml', ...checks], { probe }, hosts);
  expect(made.json.command).toBe('audit');
  const [newCa] = offeredCommands('new CA');
  const [ownCa] = offeredCommands('own-ca');
  const fixOf = (check: string) =>
    made.json.result.subjects[0].results.find(({ id }: { id: string }) => id === check).fix;
  if (newCa !== undefined) expect(fixOf('tls.8')).toBe(newCa);
  if (ownCa !== undefined) expect(fixOf('tls.10')).toContain(`(${ownCa})`);
  expectGolden(directory, made, {
    ...(newCa === undefined ? {} : { [` (${newCa} for a weak CA)`]: '', [newCa]: 'Replace the CA' }),
    ...(ownCa === undefined ? {} : { [` (${ownCa})`]: '' }),
  });
});

test('harden', async () => {
  const place = await documentPlace();
  const made = await place.run(['harden', 'h1', '--only', 'log-limits', '--dry-run'], { probe }, hosts);
  expect(made.json.command).toBe('harden');
  expectGolden(directory, made, {});
});

test('harden --list is a table, then what each fix costs; a profile of the article is in neither', async () => {
  const { out } = await runCli(['harden', '--list']);
  expect(out).toMatch(/^FIX +RISK +PROFILES +WHAT IT DOES\nicc +--accept +cis, lynis +icc=false in daemon\.json$/m);
  expect(out).toSay('costs-of-fixes', 'icc');
  expect(out).not.toContain('article');
});

test('harden --list has the fixes with their risk', async () => {
  const place = await documentPlace();
  const { json } = await place.run(['harden', '--list']);
  expect(json.result.fixes).toContainEqual(expect.objectContaining({ name: 'icc', risk: 'high', needsAccept: true }));
});
