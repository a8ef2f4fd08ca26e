/** Published ports before and after every fix that needs no yes of its own and touches daemon or network: all that reaches a container goes on reaching it. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FIXES, profilesOf } from '../../src/domain/plan/hardening.ts';
import { buildProgram, type Program } from '../support/cli.ts';
import { type LabHost, labUp, suites } from '../support/lab.ts';
import { newPerson, type Person } from '../support/person.ts';
import { publishPort, type ReachedPort, reachPort } from '../support/published-ports.ts';

/** Those that touch the daemon or the network. */
const ALONE = FIXES.filter(
  ({ name, risk }) => risk !== 'yes' && (name === 'kernel-network' || profilesOf(name).includes('cis')),
).map((fix) => fix.name);

let program: Program;
beforeAll(() => {
  program = buildProgram();
});
afterAll(() => program?.remove());

describe.each(suites)('on %s', (suite) => {
  let host: LabHost;
  let neighbour: LabHost;
  let person: Person;
  let before: ReachedPort;

  const done = async (...argv: string[]): Promise<string> => {
    const { status, out, err } = await person.run([...argv, '--yes']);
    expect(status, err).toBe(0);
    return out;
  };

  beforeAll(async () => {
    [host, neighbour] = (await labUp({ names: [`ports-${suite}`, `ports-${suite}-2`], suite })) as [LabHost, LabHost];
    person = newPerson(program, [host]);
    await publishPort(host);
    before = await reachPort(host, neighbour);
    await done(...person.setup(host).filter((word) => word !== '--yes'));
  });
  afterAll(async () => {
    await host?.down();
    await neighbour?.down();
    person?.remove();
  });

  it('every way works, also after setup', async () => {
    expect(Object.values(before)).not.toContain(false);
    expect(await reachPort(host, neighbour)).toEqual(before);
  });

  it.each(ALONE)('%s', { timeout: 60_000 }, async (fix) => {
    await done('harden', host.name, '--only', fix);
    expect(await reachPort(host, neighbour)).toEqual(before);
  });

  it('userland-proxy costs what it says, and only where it is accepted by name', { timeout: 120_000 }, async () => {
    expect(await done('harden', host.name)).toMatch(/left out: userland-proxy, since .*--accept userland-proxy/);
    expect(await reachPort(host, neighbour)).toEqual(before);
    await done('harden', host.name, '--only', 'userland-proxy', '--accept', 'userland-proxy');
    const without = {
      ...before,
      'another host, IPv6': false,
      'the host, ::1': false,
      'the container itself': false,
      'a container of another network': false,
    };
    expect(await reachPort(host, neighbour)).toEqual(without);
    await host.must('docker restart -t 0 web');
    expect(await reachPort(host, neighbour)).toEqual({ ...without, 'the container itself': true });
    await done('rollback', host.name);
    // It was started without a proxy, and gets one at its next start.
    await host.must('docker restart -t 0 web');
    expect(await reachPort(host, neighbour)).toEqual(before);
  });
});
