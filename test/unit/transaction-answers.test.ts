/** What a host answers to a change, and what is made of it for people. */

import { describe, expect, test } from 'vitest';
import { endTransaction, startTransaction } from '../../src/engine/host-transaction.ts';
import { DockerTlsError } from '../../src/errors/errors.ts';
import type { HostSession } from '../../src/runtime.ts';

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

async function refusal(line: string): Promise<DockerTlsError> {
  const error = await startTransaction(host(line), { id: 'a', script: '', input: [] }, { timeoutMs: 1000 }).catch(
    (thrown: unknown) => thrown,
  );
  if (error instanceof DockerTlsError) return error;
  throw new Error(`not refused: ${String(error)}`);
}

describe('a lock', () => {
  const lock = base64('who=eve@elsewhere\nsince=1000\nexpires=1150\ntransaction=x\n');
  test('expires in the time that is left by the clock of the host', async () => {
    const error = await refusal(`locked ${lock} 1120`);
    expect(error).toMatchObject({ code: 'E_HOST_LOCKED', exit: 4 });
    expect(error.hints[0]).toBe('wait: the lock expires in 30 s');
  });
  test('that is gone by now is over in a second', async () => {
    expect((await refusal('locked  1120')).hints[0]).toBe('wait: the lock expires in 1 s');
  });
});

describe('an ending', () => {
  test.each([
    ['committed', 'committed'],
    ['undone', 'undone'],
    ['nothing', 'nothing'],
    [
      `uncommitted ${base64("cp: error writing '/var/lib/docker-tls/txn/generation/1': No space left on device")}`,
      'full',
    ],
    [`uncommitted ${base64('mkdir: cannot create directory: Disk quota exceeded')}`, 'full'],
    [`uncommitted ${base64('anything else')}`, 'stuck'],
    ['uncommitted ', 'stuck'],
  ])('%s', async (line, ending) => {
    expect(await endTransaction(host(line), 'a', 'commit')).toEqual({ ending, remark: '' });
  });
});
