/** Changes of what a host trusts, on real hosts: nobody loses access without having been named. */

import { afterAll, beforeAll, test } from 'vitest';
import { buildProgram, type Program, type ProgramRun } from '../support/cli.ts';
import { type LabHost, labClient, labUp } from '../support/lab.ts';
import { newPerson, type Person } from '../support/person.ts';

let program: Program;
let docker: string;
let hosts: LabHost[] = [];
const people: Person[] = [];

beforeAll(async () => {
  program = buildProgram();
  docker = await labClient();
  hosts = await labUp({ names: ['ca-1'] });
});
afterAll(async () => {
  for (const host of hosts) await host.down();
  for (const person of people) person.remove();
  program?.remove();
});

function someone(): Person {
  const person = newPerson(program, hosts);
  people.push(person);
  return person;
}

function done(run: ProgramRun): ProgramRun {
  if (run.status !== 0) throw new Error(`exit ${run.status}\n${run.out}\n${run.err}`);
  return run;
}

test('files in the Docker config directory itself go through a whole rotation of the CA', async () => {
  const [host] = hosts as [LabHost];
  const person = someone();
  done(await person.run(person.setup(host, ['--config-directory'])));
  const version = () =>
    person.call(docker, ['version', '--format', '{{.Server.Version}}'], {
      DOCKER_HOST: `tcp://${host.address}:2376`,
      DOCKER_TLS_VERIFY: '1',
    });
  done(await version());
  done(await person.run(['rotate', 'ca', '--no-ca-passphrase', '--yes']));
  done(await version());
  done(await person.run(['rotate', 'ca', '--drop', '--yes']));
  done(await version());
  done(await person.run(['remove', host.name, '--yes']));
});
