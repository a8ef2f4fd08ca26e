/** A host's answers to a change, and their messages for users. */

import { describe, expect, test } from 'vitest';
import { kindOf } from '../../../src/core/domain/plan/host-kind.ts';
import type { Transaction } from '../../../src/core/domain/plan/transaction.ts';
import { endTransaction, startTransaction } from '../../../src/core/engine/host-transaction.ts';
import type { HostSession } from '../../../src/core/runtime.ts';
import { DockerTlsError } from '../../../src/errors/errors.ts';

/** The change that it answers. */
const change = { id: 'a', kind: kindOf({}) };

const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** A host that answers with one line. */
function host(line: string): HostSession {
  const close = async (): Promise<void> => {};
  return {
    host: 'h1',
    user: 'root',
    dialled: '10.0.0.1',
    login: { destination: 'h1' },
    run: async () => ({ status: 0, stdout: Buffer.from(`@ lock\n@result ${line}\n`), stderr: '' }),
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function refusal(line: string, wasActive = true): Promise<DockerTlsError> {
  const transaction = { ...change, wasActive, script: '', input: [] } as unknown as Transaction;
  const error = await startTransaction(host(line), transaction, { timeoutMs: 1000 }).catch((thrown: unknown) => thrown);
  if (error instanceof DockerTlsError) return error;
  throw new Error(`not refused: ${String(error)}`);
}

describe('a lock', () => {
  const lock = base64('who=eve@elsewhere\nsince=1000\nexpires=1150\ntransaction=x\n');
  test('expires in the time that is left by the clock of the host', async () => {
    const error = await refusal(`locked ${lock} ${base64('1120')}`);
    expect(error).toMatchObject({ code: 'E_HOST_LOCKED', exit: 4 });
    expect(error.hints[0]).toSay('wait-lock-expires', '30');
  });
  test('that is gone by now is over in a second', async () => {
    expect((await refusal(`locked - ${base64('1120')}`)).hints[0]).toSay('wait-lock-expires', '1');
  });
});

describe('a configuration that dockerd does not accept', () => {
  test('is named by its own words, and where it has none it is said so', async () => {
    const named = await refusal(`failed ${base64('validate')} ${base64('unknown flag: --x')}`);
    expect([named.code, named.details]).toEqual(['E_DAEMON_CONFIG', ['unknown flag: --x']]);
    const silent = await refusal(`failed ${base64('validate')} -`);
    const limited = await refusal(`failed ${base64('validate')} ${base64('Segmentation fault')}`);
    expect([limited.code, limited.message]).toEqual(['E_APPLY', expect.toSay('limits-login-kept-dockerd')]);
    expect(limited.hints).toEqual([expect.stringMatching(/ulimit -a$/)]);
    for (const said of [
      "env: '/usr/sbin/front': No such file or directory",
      "env: can't execute '/usr/sbin/front': No such file or directory",
    ]) {
      const gone = await refusal(`failed ${base64('validate')} ${base64(said)}`);
      expect([gone.code, gone.message]).toEqual([
        'E_DAEMON_CONFIG',
        expect.toSay('no-longer-nothing-changed', '/usr/sbin/front'),
      ]);
    }
    expect([silent.code, silent.message]).toEqual(['E_DAEMON_CONFIG', expect.toSay('did-not-say-time')]);
  });
});

describe('an ending', () => {
  test.each([
    ['committed', 'committed'],
    ['undone -', 'undone'],
    ['nothing', 'nothing'],
    [
      `uncommitted ${base64("cp: error writing '/var/lib/docker-tls/txn/generation/1': No space left on device")}`,
      'full',
    ],
    [`uncommitted ${base64('mkdir: cannot create directory: Disk quota exceeded')}`, 'full'],
    [`uncommitted ${base64('anything else')}`, 'stuck'],
    ['uncommitted -', 'stuck'],
  ])('%s', async (line, ending) => {
    expect(await endTransaction(host(line), change, 'commit')).toMatchObject({ ending });
  });

  test('why a change could not be kept comes along', async () => {
    const line = `uncommitted ${base64('containers stopped that ran before: web (exit 137)')}`;
    expect((await endTransaction(host(line), change, 'commit')).remark).toMatch(/web \(exit 137\)$/);
  });

  test('a remark of the rollback comes along, without what a terminal would obey', async () => {
    expect(await endTransaction(host(`undone ${base64('it \u001b[2Jruns on')}`), change, 'undo')).toEqual({
      ending: 'undone',
      remark: 'it runs on',
    });
  });
});

describe('a change', () => {
  const exits: Partial<Record<string, number>> = {
    'rolled-back': 5,
    stuck: 6,
    blocked: 6,
    changed: 4,
    again: 4,
    failed: 4,
  };
  const steps = `${base64('check')} ${base64('dockerd would not start again')} -`;
  test.each([
    [`rolled-back ${steps} -`, 'E_APPLY', expect.toSay('check-dockerd-not-start')],
    [`rolled-back ${steps} ${base64('it runs on')}`, 'E_APPLY', expect.toSay('files-restored-but-runs')],
    [`rolled-back ${base64('restart')} - - -`, 'E_DAEMON_START', expect.toSay('host-rolled-back-runs')],
    [
      `rolled-back ${base64('containers')} ${base64('containers stopped that ran before: web (exit 137)')} - -`,
      'E_CONTAINERS_STOPPED',
      expect.toSay('containers-stopped-ran-before', 'web', '137'),
    ],
    [
      `rolled-back ${base64('containers')} ${base64('containers stopped that ran before: web (exit 137)')} - ${base64('/x was edited')}`,
      'E_CONTAINERS_STOPPED',
      expect.toSay('exit-host-files-restored', '137', '/x'),
    ],
    [`stuck ${steps}`, 'E_ROLLBACK', expect.toSay('failed-well-dockerd-not')],
    [`changed ${base64('/etc/x')}`, 'E_HOST_CHANGED', expect.toSay('changed-since-plan-made', '/etc/x')],
    [`failed ${base64('arm')} ${base64('no bus')}`, 'E_APPLY', expect.toSay('change-could-not-prepared')],
    ['again', 'E_STALE_CHANGE', expect.toSay('rolled-back-just-now')],
    ['blocked', 'E_ROLLBACK', expect.toSay('rollback-earlier-change-failed')],
    ['', 'E_UNANSWERED', expect.stringMatching(/did not say/)],
  ])('%s', async (line, code, message) => {
    const error = await refusal(line);
    expect(error.code).toBe(code);
    expect(error.message).toEqual(message);
    // 5 says that the host was rolled back, so there was something to roll back.
    expect(error.exit).toBe(exits[line.split(' ')[0] as string] ?? 5);
  });

  test('of a host whose daemon was stopped leaves it stopped, and its own settings may be why it does not start', async () => {
    const { message, hints } = await refusal(`rolled-back ${base64('restart')} - - -`, false);
    expect(message).toSay('host-rolled-back-docker');
    expect(hints.at(-1)).toSay('see-whether-starts-without', 'systemctl start docker.service');
    const { message: checked } = await refusal(`rolled-back ${steps} -`, false);
    expect(checked).toSay('not-start-again-host');
  });
});
