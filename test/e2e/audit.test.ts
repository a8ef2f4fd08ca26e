/** The audit on real hosts of three generations: fresh, and with everything wrong; verdicts as in the golden table. */

import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CheckResult, evaluate } from '../../src/audit/evaluate.ts';
import { AUDIT_SCRIPT, type AuditFacts, parseAuditFacts } from '../../src/audit/facts.ts';
import { type LabHost, labRun, labUp, suites } from '../support/lab.ts';

const STATES = readFileSync(new URL('../golden/audit/states.sh', import.meta.url), 'utf8');
const TABLE = readFileSync(new URL('../golden/audit/verdicts.txt', import.meta.url), 'utf8');

/** A column of the golden table, by check. */
function golden(name: string): ReadonlyMap<string, string> {
  const [head = '', ...rows] = TABLE.trimEnd().split('\n');
  const index = head.split(/\s+/).indexOf(name);
  return new Map(rows.map((row) => row.split(/\s+/)).map((cells) => [cells[0] ?? '', cells[index] ?? '']));
}

function word({ state, manual, severity, reason }: CheckResult): string {
  if (state === 'pass') return 'ok';
  if (state === 'finding') return severity;
  return manual && reason?.startsWith('needs a person') === true ? '?' : '-';
}

describe.each(suites)('on %s', (suite) => {
  let host: LabHost;
  beforeAll(async () => {
    [host] = (await labUp({ names: [`audit-${suite}`], suite })) as [LabHost];
  });
  afterAll(async () => {
    await host?.down();
  });

  /** By the lab's own door: the bad state is not made for going on by ssh. */
  async function gather(): Promise<AuditFacts> {
    const run = await labRun(['exec', host.name, 'sh', '-s'], AUDIT_SCRIPT);
    expect(run.exit, run.err).toBe(0);
    return parseAuditFacts(Buffer.from(run.out));
  }

  test('a fresh host, and one where everything is wrong, are judged as recorded', async () => {
    const fresh = new Map(evaluate(await gather()).map((result) => [result.id, word(result)]));
    expect(fresh).toEqual(golden(`fresh-${suite}`));
    const made = await labRun(['exec', host.name, 'sh', '-s', 'bad'], STATES);
    expect(made, made.err).toMatchObject({ exit: 0 });
    const bad = new Map(evaluate(await gather()).map((result) => [result.id, word(result)]));
    expect(bad).toEqual(golden(`bad-${suite}`));
  });
});

test('it changes nothing: /etc, /var/lib/docker and the running containers are as before', async () => {
  const [host] = (await labUp({ names: ['audit-quiet'], suite: 'trixie' })) as [LabHost];
  try {
    await host.must('docker import /root/busybox.tar busybox && docker run -d --name web busybox sleep 1d');
    const look =
      'find /etc /var/lib/docker /usr/lib/systemd -xdev -printf "%p %m %U:%G %T@ %s\\n" | sort; docker ps -a --no-trunc';
    const before = await host.must(look);
    const run = await labRun(['exec', host.name, 'sh', '-s'], AUDIT_SCRIPT);
    expect(run.exit, run.err).toBe(0);
    expect((await host.must(look)).replace(/Up .* second\S*/g, '')).toBe(before.replace(/Up .* second\S*/g, ''));
  } finally {
    await host.down();
  }
});
