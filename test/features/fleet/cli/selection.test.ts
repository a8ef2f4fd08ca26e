/** Selection of the hosts of an inventory or a fleet file: standard input, --limit and --shard, as people type them. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { selectHosts } from '../../../../src/core/domain/hosts/selection.ts';
import { TRANSPORTS } from '../../../../src/core/seams/transports.ts';
import { parseInventory } from '../../../../src/features/fleet/domain/inventory.ts';
import { buildProgram, type Program, runCli } from '../../../support/cli.ts';

let directory: string;
let program: Program;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'docker-tls-selection-'));
  program = buildProgram();
});

afterAll(() => {
  program?.remove();
  rmSync(directory, { recursive: true, force: true });
});

/** Nothing listens there: the host's error shows how it was reached. */
const away = (name: string, more: object = {}) => ({
  [name]: { ansible_host: '127.0.0.1', ansible_port: 1, ...more },
});
const inventory = (hostvars: object) => JSON.stringify({ _meta: { hostvars } });

const words = () => ['--home', join(directory, 'tls'), '--no-ca-passphrase', '--json'];

function plan(...argv: string[]) {
  return runCli(['plan', ...argv, ...words()], { cwd: directory, env: { HOME: directory } });
}

type Row = { host: string; errors: { code: string; message: string }[] };

/** Each host that was tried, with its error code. */
function tried(document: { result?: { hosts: Row[] } }): string[] {
  return (document.result?.hosts ?? []).map(({ host, errors }) => `${host} ${errors[0]?.code}`);
}

test('hosts of an inventory: chosen by name, pattern and shard; one that is not for us is no trouble until it is chosen', async () => {
  const text = inventory({ ...away('web-1'), ...away('web-2'), ...away('db'), win: { ansible_connection: 'winrm' } });
  writeFileSync(join(directory, 'inventory.json'), text);
  const from = ['--inventory', 'inventory.json'];
  const web = await plan(...from, '--limit', 'web-*');
  expect(web.exit, web.err).toBe(4);
  expect(tried(web.json)).toEqual(['web-1 E_SSH_REFUSED', 'web-2 E_SSH_REFUSED']);
  expect(tried((await plan('web-1', ...from)).json)).toEqual(['web-1 E_SSH_REFUSED']);
  const half = await plan(...from, '--limit', 'web-?,db', '--shard', '2/2');
  expect(tried(half.json)).toEqual(['web-1 E_SSH_REFUSED']);

  const all = await plan(...from);
  expect([all.exit, all.err]).toEqual([4, expect.toSay('out-winrm-not-ssh')]);
  expect(tried(all.json).map((line) => line.split(' ')[0])).toEqual(['web-1', 'web-2', 'db']);
  const windows = await plan('win', ...from);
  expect([windows.exit, windows.json.error]).toMatchObject([2, { code: 'E_INVENTORY', where: 'inventory.json: win' }]);
  for (const [argv, code] of [
    [[...from, '--limit', 'mail-*'], 'E_LIMIT'],
    [['db', ...from, '--limit', 'web-*'], 'E_LIMIT'],
    [[...from, '--shard', '3/2'], 'E_USAGE'],
    [[...from, '-f', 'fleet.yaml'], 'E_USAGE'],
  ] as const) {
    const run = await plan(...argv);
    expect([run.exit, run.json.error?.code], argv.join(' ')).toEqual([2, code]);
  }
});

test('a key file in the home directory, as Ansible writes it', async () => {
  const text = inventory(away('web', { ansible_ssh_private_key_file: '~/.ssh/none' }));
  writeFileSync(join(directory, 'home.json'), text);
  for (const options of [[], ...TRANSPORTS.all.map(({ name }) => ['--transport', name])]) {
    const run = await plan('--inventory', 'home.json', ...options);
    const [row] = run.json.result.hosts as Row[];
    expect(row?.errors[0]?.message).toContain(join(directory, '.ssh/none'));
  }
});

test('hosts from standard input, as Ansible prints them and one a line', async () => {
  const env = { ...process.env, HOME: directory };
  const argv = ['plan', '--inventory', '-', ...words()];
  const ansible = await program.run(argv, { env, input: inventory({ ...away('web'), ...away('db') }) });
  expect(ansible.status, ansible.err).toBe(4);
  expect(tried(JSON.parse(ansible.out))).toEqual(['web E_SSH_REFUSED', 'db E_SSH_REFUSED']);
  const lines = await program.run(argv, { env, input: '# all\nroot@127.0.0.1:1\n' });
  expect(tried(JSON.parse(lines.out))).toEqual(['127.0.0.1 E_SSH_REFUSED']);
});

test('--limit takes groups of an inventory, and of groups in them', async () => {
  const inventory = {
    _meta: { hostvars: {} },
    all: { children: ['prod', 'ungrouped'] },
    prod: { children: ['webs', 'prod'] },
    webs: { hosts: ['web-1', 'web-2'] },
    dbs: ['db-1'],
  };
  writeFileSync(join(directory, 'inventory.json'), JSON.stringify(inventory));
  const all = parseInventory(readFileSync(join(directory, 'inventory.json'), 'utf8'));
  const limit = (...names: string[]) => selectHosts(all, { limit: names }).map(({ name }) => name);
  expect(limit('prod')).toEqual(['web-1', 'web-2']);
  expect(limit('dbs', 'web-1')).toEqual(['web-1', 'db-1']);
  expect(limit('d*')).toEqual(['db-1']);
  expect(() => limit('staging')).toThrow(expect.toSay('no-host-matches-staging'));
  const dialled: string[] = [];
  await runCli(['plan', '--inventory', 'inventory.json', '--limit', 'dbs', '--json'], {
    cwd: directory,
    env: { DOCKER_TLS_HOME: join(directory, 'tls'), HOME: directory },
    connect: async ({ host }) => {
      dialled.push(host);
      throw new Error('no');
    },
  });
  expect(dialled).toEqual(['db-1']);
});

test('hosts of a fleet file from standard input', async () => {
  const env = { ...process.env, HOME: directory };
  const argv = ['plan', '-f', '-', '--home', join(directory, 'tls'), '--no-ca-passphrase', '--json'];
  const fleet = ['version: 1', 'ca: { passphrase: none }', 'hosts: { web: { ssh: "127.0.0.1:1" } }'].join('\n');
  const { out } = await program.run(argv, { env, input: fleet });
  expect(JSON.parse(out).result.hosts).toMatchObject([{ host: 'web', errors: [{ code: 'E_SSH_REFUSED' }] }]);
});
