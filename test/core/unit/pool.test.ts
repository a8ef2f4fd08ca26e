import { describe, expect, test } from 'vitest';
import { errorsOf, exitOfResults } from '../../../src/core/domain/host-results.ts';
import { completeHost } from '../../../src/core/domain/settings.ts';
import { defaultParallel, type FleetOptions, overHosts } from '../../../src/core/engine/pool.ts';
import type { Progress } from '../../../src/core/runtime.ts';
import type { ErrorCode, ExitStatus } from '../../../src/errors/catalogue.ts';
import { DockerTlsError, gravestExit, interrupted } from '../../../src/errors/errors.ts';

const quiet: Progress = {
  host: () => ({ phase() {}, done() {}, failed() {}, pause() {} }),
  note() {},
  print() {},
  askedMs: () => 0,
  changes() {},
};
const names = ['a', 'b', 'c', 'd', 'e'];
const specs = names.map((name) => completeHost({ name, ssh: { destination: name } }));
const CODE_OF: Partial<Record<ExitStatus, ErrorCode>> = {
  1: 'E_BUG',
  2: 'E_USAGE',
  3: 'E_CA_NOT_ACCEPTED',
  4: 'E_SSH_LOST',
  5: 'E_UNANSWERED',
  6: 'E_ROLLBACK',
  7: 'E_VERIFY',
  130: 'E_INTERRUPTED',
};
const around = (signal = new AbortController().signal) => ({
  runtime: { signal, now: () => new Date() },
  progress: quiet,
});
const failure = (exit: ExitStatus) => new DockerTlsError(CODE_OF[exit] as ErrorCode, 'no');

function run(fails: Readonly<Record<string, ExitStatus>>, options: Partial<FleetOptions> = {}, seen: string[] = []) {
  return overHosts(specs, { parallel: 1, ...around(), ...options }, async ({ name }) => {
    seen.push(name);
    const exit = fails[name];
    if (exit !== undefined) throw failure(exit);
    return name;
  });
}

const kinds = (results: Awaited<ReturnType<typeof run>>) => results.map(({ kind }) => kind[0]).join('');

describe('a run over hosts', () => {
  test("one host's trouble is its own, named, and the exit status is the gravest", async () => {
    const results = await run({ b: 4, d: 5 }, { parallel: 3 });
    expect(kinds(results)).toBe('dfdfd');
    expect(results.map(({ host }) => host)).toEqual(names);
    expect(exitOfResults(results)).toBe(5);
    expect(errorsOf(results).map(({ code, where }) => `${code} ${where}`)).toEqual(['E_SSH_LOST b', 'E_UNANSWERED d']);
  });

  test('a host that may be half done is graver than any that has gone back', async () => {
    const results = await run({ a: 6, b: 5, c: 7, d: 4, e: 1 });
    expect(exitOfResults(results)).toBe(6);
    expect(errorsOf(results).map(({ exit }) => exit)).toEqual([4, 7, 5, 1, 6]);
    expect(exitOfResults(await run({ a: 5, b: 6 }))).toBe(6);
    expect(exitOfResults(await run({ a: 5, b: 1 }))).toBe(1);
    expect(exitOfResults(await run({ a: 7, b: 5 }))).toBe(5);
    const gravestFirst = [130, 6, 1, 5, 7, 4, 2, 3, 0] as const;
    for (const [at, status] of gravestFirst.entries())
      expect(gravestExit(gravestFirst.slice(at).toReversed())).toBe(status);
  });

  test('2 says that nothing was touched, so it is no status of a run in which a host was', async () => {
    expect(exitOfResults(await run({ b: 2 }))).toBe(4);
    expect(exitOfResults(await run({ a: 2, b: 2, c: 2, d: 2, e: 2 }))).toBe(2);
    expect(exitOfResults(await run({ a: 2, c: 7 }))).toBe(7);
  });

  test('the canary goes first, and its failure leaves the others alone', async () => {
    const seen: string[] = [];
    expect(kinds(await run({ b: 7 }, { canary: 2, parallel: 5 }, seen))).toBe('dfsss');
    expect(seen).toEqual(['a', 'b']);
    expect(kinds(await run({}, { canary: 2, parallel: 5 }))).toBe('ddddd');
  });

  test('no further host is begun after so many failures', async () => {
    const results = await run({ a: 4, c: 4, d: 4 }, { maxFailures: 2 });
    expect(kinds(results)).toBe('fdfss');
    expect(results[4]).toMatchObject({ reason: 'stopped after 2 failures' });
    expect((await run({ a: 4 }, { maxFailures: 1 }))[1]).toMatchObject({ reason: 'stopped after 1 failure' });
  });

  test('never more hosts at the same time than asked for', async () => {
    let now = 0;
    let most = 0;
    await overHosts(specs, { parallel: 2, ...around() }, async () => {
      most = Math.max(most, ++now);
      await new Promise((resolve) => setTimeout(resolve, 2));
      now -= 1;
    });
    expect(most).toBe(2);
  });

  test('Ctrl-C begins nothing further, and is the exit status', async () => {
    const stop = new AbortController();
    const results = await overHosts(specs, { parallel: 1, ...around(stop.signal) }, async ({ name }) => {
      if (name === 'b') stop.abort(interrupted('stopped by Ctrl-C'));
      return name;
    });
    expect(results.map(({ kind }) => kind)).toEqual(['done', 'done', 'skipped', 'skipped', 'skipped']);
    expect(results[2]).toMatchObject({ reason: 'stopped by Ctrl-C' });
    expect(exitOfResults(results, stop.signal)).toBe(130);
    expect(exitOfResults(await run({}), stop.signal)).toBe(0);
  });

  test('a bug on one host lets those at work come to their end, and begins no further one', async () => {
    let ended = 0;
    const results = await overHosts(specs, { parallel: 3, ...around() }, async ({ name }) => {
      await new Promise((resolve) => setTimeout(resolve, name === 'b' ? 1 : 20));
      if (name === 'b') throw new TypeError('bug');
      ended += 1;
    });
    expect(results.map(({ kind }) => kind)).toEqual(['done', 'failed', 'done', 'skipped', 'skipped']);
    expect(ended).toBe(2);
    expect(errorsOf(results).map(({ code, where }) => `${code} ${where}`)).toEqual(['E_BUG b']);
    expect(exitOfResults(results)).toBe(1);
  });
});

test('as many hosts at once as the machine has processors for', () => {
  expect([1, 2, 4, 64].map((processors) => defaultParallel(processors))).toEqual([10, 20, 40, 50]);
});
