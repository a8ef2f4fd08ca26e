/** The TLS port while the daemon does not serve it: without our drop-in, and while Docker is stopped. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildProgram, type Program } from '../support/cli.ts';
import { type LabHost, labUp, suites } from '../support/lab.ts';
import { newPerson, type Person } from '../support/person.ts';
import { plainHttp } from '../support/plain-http.ts';

let program: Program;
beforeAll(() => {
  program = buildProgram();
});
afterAll(() => program?.remove());

describe.each(suites)('on %s', (suite) => {
  let host: LabHost;
  let person: Person;

  beforeAll(async () => {
    [host] = (await labUp({ names: [`closed-${suite}`], suite })) as [LabHost];
    person = newPerson(program, [host]);
    await host.container('web');
  });
  afterAll(async () => {
    await host?.down();
    person?.remove();
  });

  async function done(...argv: string[]): Promise<void> {
    const result = await person.run(argv);
    expect(result, result.err).toMatchObject({ status: 0 });
  }

  test('without the drop-in nothing answers, and a connection starts no Docker that was stopped', async () => {
    await done(...person.setup(host));
    const verified = () => done('verify', host.name);
    const reset = 'systemctl reset-failed docker.service docker.socket docker-tls.socket';
    await host.must(`sleep 3; ${reset}; systemctl revert docker.service && systemctl restart docker`);
    expect(await plainHttp(host.address)).toBe('');
    await done('apply', host.name, '--yes');
    // On demand, as by docker.socket.
    await host.must(`${reset}; systemctl stop docker.service`);
    await verified();
    await host.must(`${reset}; systemctl stop docker.service docker.socket`);
    expect(await plainHttp(host.address)).toBe('');
    await host.must('sleep 6; [ "$(systemctl is-active docker docker-tls.socket | uniq)" = inactive ]');
    await host.must(`${reset}; systemctl start docker`);
    await verified();
  });
});
