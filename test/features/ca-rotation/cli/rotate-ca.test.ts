/** CA rotation from the store alone: no host answers; `tell` writes the results of an apply. */

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import type { StoreState } from '../../../../src/core/adapters/store/records.ts';
import { openStore } from '../../../../src/core/adapters/store/store.ts';
import { isFrom } from '../../../../src/core/domain/pki/inspect.ts';
import { externalKey } from '../../../../src/core/domain/trust/client-refusals.ts';
import { answeringHosts } from '../../../support/answering-hosts.ts';
import { runCli, runUnreached } from '../../../support/cli.ts';
import { type IssuedOptions, issueStore } from '../../../support/issued-store.ts';
import { importFrom, keyElsewhere } from '../../../support/outside-clients.ts';
import { newHome, removeHomes } from '../../../support/store.ts';
import * as told from '../../../support/told-hosts.ts';
import { issueServer, wantedServer } from '../../../support/two-cas.ts';

let home: string;
let directory: string;
let dialled: string[];

beforeEach(() => {
  home = newHome();
  directory = dirname(home);
  dialled = [];
});
afterAll(removeHomes);

const run = (...argv: string[]) => runUnreached({ home, directory }, argv, (host) => dialled.push(host));
const state = () => openStore(home).read();
const stage = async () => (await run('rotate', 'ca', '--dry-run')).json.result.stage.stage;
const two: IssuedOptions = { hosts: { 'build-1': {}, 'build-2': {} } };

const write = (change: Parameters<typeof told.write>[1]) => told.write(home, change);
const tell = (...names: string[]) => told.tell(home, ...names);
const isTrusted = (name: string) => told.trustingHosts(home, name);

describe('a client that was issued elsewhere', () => {
  test('is no business of a rotation: it neither stops it nor gets other files', async () => {
    const there = newHome();
    await issueStore(there, { ...two, clients: { ann: undefined } });
    await issueStore(home, { clients: { laptop: undefined } });
    await importFrom(there, home, 'ann');
    const before = (await state()).clients.get('ann');
    const first = await run('rotate', 'ca', '--yes');
    expect([first.exit, first.json.error, first.json.result.stage.stage]).toEqual([0, undefined, 'drop']);
    const between = await runCli(['status', '--offline', '--check', '--home', home]);
    expect([between.exit, between.out]).toEqual([0, expect.toSay('rotation-ca-under-way')]);
    expect(between.out).toMatch(/^ +docker-tls .*rotate ca --drop$/m);
    expect((await run('rotate', 'ca', '--drop', '--yes')).exit).toBe(0);
    const after = await state();
    expect(after.clients.get('ann')).toEqual(before);
    expect([...after.issuers.keys()]).toEqual(['laptop']);
    expect(after.oldCas).toEqual([]);
  });
});

describe('hosts that have not heard of a change of access', () => {
  test('are no sign of a rotation that is nearly done', async () => {
    await issueStore(home, { ...two, clients: { laptop: undefined, ci: undefined } });
    await write(({ clients }) => {
      const { directory: _, ...ci } = clients.get('ci') as NonNullable<ReturnType<StoreState['clients']['get']>>;
      return { clients: { ci: { ...ci, record: { ...ci.record, hosts: ['build-1'] } } } };
    });
    expect(await stage()).toBe('none');
    const requested = await run('rotate', 'ca');
    expect(requested.json.error?.code).toBe('E_NO_TERMINAL');
    const before = (await state()).ca?.cert;
    await run('rotate', 'ca', '--yes');
    expect((await state()).oldCas.map(({ cert }) => cert)).toEqual([before]);
    expect(await stage()).toBe('accept');
  });

  test('where one still accepts a CA that was dropped, it is told, but not without a question', async () => {
    await issueStore(home, { ...two, clients: { laptop: undefined } });
    await run('rotate', 'ca', '--yes');
    await write(({ oldCas }) => ({ removeOldCas: oldCas.map(({ serial }) => serial) }));
    await tell('build-1');
    expect((await run('rotate', 'ca', '--dry-run')).json.result.stage).toMatchObject({
      stage: 'clear',
      hosts: ['build-2'],
    });
    dialled = [];
    const requested = await run('rotate', 'ca');
    expect(requested.json.error?.code).toBe('E_NO_TERMINAL');
    const { ca } = await state();
    await run('rotate', 'ca', '--yes', '--new');
    expect((await state()).oldCas.map(({ cert }) => cert)).toEqual([ca?.cert]);
  });
});

describe('a client that is renewed in the middle of a rotation', () => {
  const listed = { ...two, clients: { laptop: undefined, ci: ['build-2'] } };

  test('a rotation on top of one that is not through locks no client out that has credentials of the first CA', async () => {
    await issueStore(home, listed);
    await run('rotate', 'ca', '--yes');
    await run('rotate', 'ca', '--yes', '--new');
    await tell('build-1', 'build-2');
    expect([await isTrusted('laptop'), await isTrusted('ci')]).toEqual([['build-1', 'build-2'], ['build-2']]);
  });

  test('the drop names what is to be done where the key is, and no command that fails', async () => {
    await issueStore(home, { ...two, clients: { laptop: undefined, ann: undefined } });
    await keyElsewhere(home, 'ann');
    await run('rotate', 'ca', '--yes');
    await tell('build-1', 'build-2');
    await run('rotate', 'client', '--all', '--yes');
    const { json } = await run('rotate', 'ca', '--drop', '--yes');
    expect(json.error?.hints).toEqual([
      'docker-tls rotate ca',
      ...externalKey('ann').hints.map(String),
      expect.toSay('no-longer-accepted', 'ann', 'docker-tls client revoke ann'),
    ]);
  });
});

describe('without the key of the old CA', () => {
  const withoutKey = async () => {
    await issueStore(home, { ...two, clients: { laptop: undefined, ann: undefined } });
    await keyElsewhere(home, 'ann');
    await write(({ ca }) => ({ ca: { cert: ca?.cert ?? '', record: ca?.record as never } }));
    await run('rotate', 'ca', '--yes', '--no-ca-passphrase');
    await tell('build-1', 'build-2');
    dialled = [];
  };

  test('hosts wait until it is said that clients that have not fetched may lose access; clients here have their files by then', async () => {
    await withoutKey();
    const { exit, json } = await run('rotate', 'ca', '--yes');
    expect([exit, json.error?.code, json.error?.where]).toEqual([3, 'E_BREAKS_CLIENTS', 'build-1, build-2']);
    expect(json.error?.message).toSay('every-older-copy', 'ann');
    expect(dialled).toEqual([]);
    const { clients, ca, oldCas } = await state();
    expect(clients.get('laptop')?.ca).toBe(`${ca?.cert}${oldCas[0]?.cert}`);
    expect(isFrom(clients.get('laptop')?.cert ?? '', ca?.cert ?? '', 'client', new Date())).toBe(true);
    expect((await run('rotate', 'ca', '--yes', '--no-overlap')).json.error?.code).toBe('E_SEVERAL');
    expect(dialled).toHaveLength(2);
  });
});

describe('the drop', () => {
  const drop = ['rotate', 'ca', '--drop'];

  /** Both hosts and the client have credentials of the new CA alone. */
  async function issuedFromNew(): Promise<void> {
    await issueStore(home, { ...two, clients: { laptop: undefined, eve: undefined } });
    // An imported CA may have other clients that this store does not know.
    await write(({ ca }) => ({ ca: { ...ca, record: { ...ca?.record, imported: true } } as never }));
    await run('rotate', 'ca', '--yes');
    await tell('build-1', 'build-2');
    await run('rotate', 'client', '--all', '--yes');
    const issuedNow = await state();
    const { cert } = await issueServer(issuedNow, wantedServer(issuedNow, true));
    await write(({ hosts }) => ({
      hosts: Object.fromEntries([...hosts].map(([name, host]) => [name, { ...host, serverCert: cert }])),
    }));
    expect(await stage()).toBe('drop');
  }

  const answered = (argv: string[], connect: ReturnType<typeof answeringHosts>) =>
    runCli([...argv, '--json'], { cwd: directory, env: { HOME: directory, DOCKER_TLS_HOME: home }, connect });
  const hosts = () => {
    let turn = 0;
    const connect = answeringHosts({ home, now: new Date(), nameOf: () => `build-${(turn++ % 2) + 1}` });
    return connect;
  };

  test('without a rotation changes nothing, and asks nothing', async () => {
    await issueStore(home, { ...two, clients: { laptop: undefined } });
    const { exit, json } = await run(...drop);
    expect([exit, json.error, json.result.stage.stage, dialled]).toEqual([0, undefined, 'none', []]);
  });

  test('takes the clients of a CA that was imported, which this store does not know, with it', async () => {
    await issuedFromNew();
    const { json } = await answered([...drop, '--dry-run'], hosts());
    expect(JSON.stringify(json)).not.toContain('E_OTHER_CLIENTS');
    expect(JSON.stringify(json)).toSay('not-store-accepted-now');
  });

  test('is refused where a rotation was begun by the time the store is locked', async () => {
    await issuedFromNew();
    await write(({ hosts }) => ({ removeHosts: [...hosts.keys()].slice(1) }));
    const connect = hosts();
    let begun = false;
    const { exit, json } = await answered([...drop, '--yes'], async (options) => {
      if (!begun) {
        begun = true;
        expect((await run('rotate', 'ca', '--new', '--yes')).json.result.stage.stage).toBe('accept');
      }
      return connect(options);
    });
    expect([exit, json.error?.code]).toEqual([3, 'E_CA_IN_USE']);
    expect((await state()).oldCas).toHaveLength(2);
  });

  test('waits where a client was revoked by the time the store is locked: hosts hear of that first', async () => {
    await issuedFromNew();
    await write(({ hosts }) => ({ removeHosts: [...hosts.keys()].slice(1) }));
    const connect = hosts();
    let done = false;
    const { exit, json } = await answered([...drop, '--yes'], async (options) => {
      if (!done) {
        done = true;
        await run('client', 'revoke', 'eve', '--yes', '--reject-other-clients');
      }
      return connect(options);
    });
    const { clients, oldCas } = await state();
    expect([exit, json.error?.code, oldCas.length]).toEqual([3, 'E_CA_IN_USE', 1]);
    expect(clients.get('eve')?.record.revokedAt).toEqual(expect.any(String));
  });
});

describe('without the passphrase', () => {
  test('a rotation is begun with another one; what can no longer be opened goes', async () => {
    writeFileSync(join(directory, 'pass'), 'correct horse\n', { mode: 0o600 });
    writeFileSync(join(directory, 'other'), 'another one\n', { mode: 0o600 });
    await run('ca', 'create', '--ca-passphrase-file', 'pass');
    await run('client', 'add', 'laptop', '--ca-passphrase-file', 'pass');
    const before = await state();
    const wrong = await run('rotate', 'ca', '--yes', '--ca-passphrase-file', 'other');
    expect([wrong.exit, wrong.json.error?.code]).toEqual([2, 'E_KEY_PASSPHRASE']);
    expect(await state()).toEqual(before);
    const lost = await run('rotate', 'ca', '--yes', '--lost-passphrase', '--ca-passphrase-file', 'other');
    expect([lost.exit, lost.json.error]).toEqual([0, undefined]);
    const { oldCas, issuers } = await state();
    expect(oldCas.map(({ keyPem, record }) => [keyPem, record?.name])).toEqual([[undefined, 'docker-tls']]);
    expect(issuers.get('laptop')?.oldKeyPem).toBeUndefined();
    expect(existsSync(join(home, 'ca/issuers/laptop/old-ca-key.pem'))).toBe(false);
    const again = await run('rotate', 'ca', '--yes', '--lost-passphrase', '--ca-passphrase-file', 'other');
    expect([again.exit, again.json.error?.code]).toEqual([2, 'E_USAGE']);
    expect((await run('rotate', 'client', 'laptop', '--yes', '--ca-passphrase-file', 'other')).exit).toBe(0);
    expect((await run('rotate', 'ca', '--drop', '--yes', '--ca-passphrase-file', 'other')).exit).toBe(0);
    expect(readFileSync(join(home, 'ca/ca-key.pem'), 'utf8')).toContain('ENCRYPTED');
  });
});
