import { expect, test } from 'vitest';
import { runCli } from '../../../support/cli.ts';

test('role test says yes or no, by which line, and with its exit status', async () => {
  const yes = await runCli(['role', 'test', 'monitor', 'GET /v1.45/containers/json?all=1']);
  expect([yes.exit, yes.out]).toEqual([0, 'yes: GET /containers/json\n']);
  const no = await runCli(['role', 'test', 'monitor', 'DELETE /v1.45/containers/app']);
  expect([no.exit, no.out]).toEqual([3, expect.toSay('no-no-line-monitor', '/v1.45/containers/app')]);
  const full = await runCli(['role', 'test', 'full', 'DELETE /v1.45/containers/app']);
  expect([full.exit, full.out]).toEqual([0, 'yes: everything\n']);
});

test('an unknown role and a text that is no request are named', async () => {
  const role = await runCli(['role', 'show', 'monitr']);
  expect(role.exit).toBe(2);
  expect(role.err).toContain('E_ROLE_UNKNOWN');
  const request = await runCli(['role', 'test', 'read', 'containers']);
  expect(request.exit).toBe(2);
  expect(request.err).toSay('write-method-space-path');
});

test('role list and role show', async () => {
  const list = await runCli(['role', 'list']);
  expect(list.out).toMatch(/^full +all +yes/m);
  expect(list.out).toMatch(/^read +\d+ +no/m);
  const show = await runCli(['role', 'show', 'monitor']);
  expect(show.out.split('\n')).toContain('GET /containers/json');
  expect(show.out.split('\n')).toContain('GET,HEAD /_ping');
});
