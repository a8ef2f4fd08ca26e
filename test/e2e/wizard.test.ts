/** The wizard in a real terminal on a real host: what it asks and shows, and that Ctrl-C or Ctrl-D anywhere leaves host and store as they were. */

import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { buildProgram, type Program } from '../support/cli.ts';
import { type LabHost, labClient, labPassword, labUp } from '../support/lab.ts';
import { newPerson, type Person, snapshotHost } from '../support/person.ts';
import { KEYS, type TerminalProgram } from '../support/terminal.ts';

const { enter, ctrlC, ctrlD } = KEYS;
let program: Program;
let host: LabHost;

beforeAll(async () => {
  program = buildProgram();
  [host] = (await labUp({ names: ['wizard-1'] })) as [LabHost];
});
afterAll(async () => {
  await host?.down();
  program?.remove();
});

const CHANGES = 'Make these changes? (y: yes, e: edit, Enter: no)';
/** The question after its plan, which has the same words as its title. */
const PLANNED = /Make these changes[\s\S]*Make these changes\? \(y:/;

/** Every question of the first setup, in its order, with an answer: five at most for root. */
function questions(user: 'root' | 'pat'): readonly (readonly [question: string, keys: string])[] {
  return [
    ['Host:', `${user}@${host.address}${enter}`],
    ['Is that its key? (y/N)', `y${enter}`],
    ...(user === 'pat' ? [['Password for sudo of pat', `${labPassword}${enter}`] as const] : []),
    [CHANGES, `y${enter}`],
    ['New passphrase of the CA:', `correct staple${enter}`],
    ['The same again:', `correct staple${enter}`],
  ];
}

const STEPS = [
  'connecting over ssh',
  "taking the host's lock",
  'arming the rollback',
  'restarting the daemon',
  'verifying access',
] as const;

function start(person: Person, columns = 80): TerminalProgram {
  const config = join(person.home, '.ssh/config');
  return person.terminal(['setup', '--ssh-config', config, '-i', host.keyFile], { columns, rows: 50 });
}

async function answerUntil(terminal: TerminalProgram, person: 'root' | 'pat', stop: string): Promise<void> {
  for (const [question, keys] of questions(person)) {
    if (question === stop) return;
    await terminal.answer(question, keys);
  }
}

describe('Ctrl-C and Ctrl-D', () => {
  let person: Person;
  let before: string;

  beforeEach(async () => {
    person = newPerson(program);
    before = person.snapshot();
    return async () => {
      // A press that came too late has left it set up: the next test begins without that.
      if (person.snapshot() !== before) await person.run(['remove', host.name, '--yes']);
      person.remove();
    };
  });

  const requested = [
    'Host:',
    'Is that its key? (y/N)',
    'Password for sudo of pat',
    'New passphrase of the CA:',
    'The same again:',
    CHANGES,
  ];
  const presses = requested.flatMap((question) => [
    [question, 'Ctrl-C', ctrlC] as const,
    [question, 'Ctrl-D', ctrlD] as const,
  ]);
  test.each(presses)('at the question "%s" %s leaves host and store as they were', async (question, _, key) => {
    const hostBefore = await snapshotHost(host);
    const user = question.startsWith('Password') ? 'pat' : 'root';
    const terminal = start(person);
    for (const [text, keys] of questions(user)) {
      if (!text.startsWith(question)) {
        await terminal.answer(text, keys);
        continue;
      }
      await terminal.answer(text, key);
      break;
    }
    expect(await terminal.ended).toBe(130);
    expect(terminal.screen().replace(/\s+/g, ' ')).toSay('error-stopped-question-nothing', 'E_INTERRUPTED');
    expect(person.snapshot()).toBe(before);
    expect(await snapshotHost(host)).toBe(hostBefore);
  });

  test.each(STEPS)('Ctrl-C at "%s" takes the change back', async (step) => {
    const hostBefore = await snapshotHost(host, { daemon: false });
    const terminal = start(person);
    if (step === 'connecting over ssh') await terminal.answer('Host:', `root@${host.address}${enter}`);
    else await answerUntil(terminal, 'root', '');
    await terminal.interrupt(step);
    const status = await terminal.ended;
    expect({ status, screen: terminal.screen() }).toMatchObject({ status: 130 });
    expect(person.snapshot()).toBe(before);
    expect(await snapshotHost(host, { daemon: false })).toBe(hostBefore);
  });
});

test.each(['n', ''])('a host that is declined (%j, then Enter) stays as it was', async (answer) => {
  const person = newPerson(program);
  const before = { home: person.snapshot(), host: await snapshotHost(host) };
  const terminal = start(person);
  await answerUntil(terminal, 'root', CHANGES);
  await terminal.answer(CHANGES, `${answer}${enter}`);
  expect(await terminal.ended).toBe(130);
  expect(terminal.screen()).toSay('error-nothing-changed-host', 'E_DECLINED');
  expect({ home: person.snapshot(), host: await snapshotHost(host) }).toEqual(before);
  person.remove();
});

test('a host that is not reached is asked for again, with the reason', async () => {
  const person = newPerson(program);
  const terminal = start(person);
  await terminal.answer('Host:', `no-such-host.invalid${enter}`);
  await terminal.see('no address is known for no-such-host.invalid');
  await terminal.answer('Host:', `root@${host.address}:2223${enter}`);
  await terminal.see(/nothing listens on \S+:2223/);
  await terminal.answer('Host:', `root@${host.address}${enter}`);
  await terminal.answer('Is that its key? (y/N)', ctrlC);
  expect(await terminal.ended).toBe(130);
  person.remove();
});

test('a hint of a failure is the whole command, with the host and the settings that were answered', async () => {
  const person = newPerson(program);
  const terminal = start(person);
  await answerUntil(terminal, 'root', CHANGES);
  await terminal.answer(CHANGES, `e${enter}`);
  await terminal.answer('Name:', `shop${enter}`);
  await terminal.answer('Address:', enter);
  await terminal.answer('Further names', `build.example.org${enter}`);
  await terminal.answer('Client:', `laptop${enter}`);
  await terminal.answer('Docker context:', `-${enter}`);
  await terminal.answer('Begin a fleet file', enter);
  await terminal.see(PLANNED);
  const dockerd = '/usr/sbin/dockerd';
  await host.must(
    `mv ${dockerd} ${dockerd}.real; printf '#!/bin/sh\necho "no such option" >&2; exit 1\n' >${dockerd}; chmod 755 ${dockerd}`,
  );
  for (const [question, keys] of questions('root').slice(-3)) await terminal.answer(question, keys);
  const status = await terminal.ended;
  await host.must(`mv ${dockerd}.real ${dockerd}`);
  expect({ status, screen: terminal.screen() }).toMatchObject({ status: 4 });
  const config = join(person.home, '.ssh/config');
  expect(terminal.screen()).toContain(
    `docker-tls setup root@${host.address} --name shop --san build.example.org --client laptop --no-context --ssh-config ${config} -i ${host.keyFile}`,
  );
  person.remove();
});

test('from the first question to docker ps', async () => {
  const unattended = newPerson(program, [host]);
  const words = [
    'setup',
    `root@${host.address}`,
    '-i',
    host.keyFile,
    '--ssh-config',
    '.ssh/config',
    '--no-ca-passphrase',
  ];
  const dry = await unattended.run([...words, '--yes', '--dry-run']);
  unattended.remove();
  const person = newPerson(program);
  const terminal = start(person);
  await answerUntil(terminal, 'root', CHANGES);
  // Name, address, names, client and context are those of --yes.
  const proposed = (await terminal.see(CHANGES)).replace(/\s+/g, ' ');
  expect(dry.out).toContain(`docker context ${host.name} points there`);
  expect(proposed).toContain(dry.out.replace(/\s+/g, ' ').trim());
  await terminal.answer(CHANGES, `e${enter}`);
  await terminal.answer(`Name: (${host.name})`, enter);
  await terminal.answer(`Address: (${host.address})`, enter);
  await terminal.answer('Further names (none: Enter):', `build.example.org${enter}`);
  await terminal.answer('Client:', `laptop${enter}`);
  await terminal.answer(`Docker context: (${host.name})`, enter);
  await terminal.answer('Begin a fleet file here, fleet.yaml, with this host? (y/N)', `y${enter}`);
  const planned = await terminal.see(PLANNED);
  // The key that was shown is the host's own.
  const shown = /SHA256:[A-Za-z0-9+/]{43}/.exec(planned)?.[0] ?? 'none';
  expect(await host.must('cat /etc/ssh/ssh_host_*_key.pub | ssh-keygen -lf -')).toContain(shown);
  for (const line of ['one restart', 'build.example.org', 'docker-tls.socket', 'rollback'])
    expect(planned).toContain(line);
  for (const [question, keys] of questions('root').slice(-3)) await terminal.answer(question, keys);
  expect(await terminal.ended).toBe(0);
  const end = terminal.screen();
  expect(end).toContain('Verified from here');
  expect(end).toContain('✓ client laptop: accepted');
  expect(end).toContain(`docker --context ${host.name} ps`);
  for (const next of ['docker-tls status', 'docker-tls schedule']) expect(end).toMatch(new RegExp(`^ +${next}$`, 'm'));
  expect(end.replace(/\s+/g, ' ')).toSay('accepts-nothing-renews-itself', 'laptop');
  expect(terminal.frames.join()).not.toContain('correct staple');
  // Nothing is broken by the terminal in the middle of a word.
  const wide = end.split('\n').filter((line) => /^ {2}[a-z]/.test(line) && line.length > 80);
  expect(wide).toEqual([]);
  expect(await person.call(await labClient(), ['--context', host.name, 'ps'])).toMatchObject({ status: 0 });
  expect(person.snapshot()).toContain('ca/ca-key.pem');

  // And again: no question, no change.
  const again = person.terminal(['setup', host.name, '--ssh-config', join(person.home, '.ssh/config')]);
  const status = await again.ended;
  expect({ status, screen: again.screen() }).toMatchObject({ status: 0 });
  expect(again.screen()).toContain('nothing to do');
  expect(again.screen()).toContain(`docker --context ${host.name} ps`);

  // For another store it is not theirs: said, and asked.
  const other = newPerson(program);
  const theirs = start(other);
  await answerUntil(theirs, 'root', CHANGES);
  expect(await theirs.see('Take it over? (y/N)')).toSay('set-another-store-last');
  await theirs.answer('Take it over? (y/N)', enter);
  expect(await theirs.ended).toBe(4);
  expect(theirs.screen()).toContain('error[E_HOST_MANAGED]');
  other.remove();
  expect(await person.run(['remove', host.name, '--yes'])).toMatchObject({ status: 0 });
  person.remove();
});

test('a TLS port that clients cannot dial: ssh is offered, and is what verifies', async () => {
  const person = newPerson(program);
  // As a cloud's security group does it: what comes from outside is dropped, before any chain that setup looks at.
  const rule = 'PREROUTING ! -i lo -p tcp --dport 2376 -j DROP';
  await host.must(`iptables -t raw -A ${rule}`);
  try {
    const terminal = start(person);
    await answerUntil(terminal, 'root', CHANGES);
    const asked = await terminal.see('How do clients reach it?');
    expect(asked.replace(/\s+/g, ' ')).toSay('does-not-answer-computer');
    await terminal.answer('How do clients reach it?', enter);
    const plan = await terminal.see(CHANGES);
    expect(plan).not.toContain('docker context');
    // Its own address is asked along the same way.
    await terminal.answer(CHANGES, `e${enter}`);
    for (const question of [
      'Name:',
      'Address:',
      'Further names',
      'Client:',
      'Docker context: (-)',
      'Begin a fleet file',
    ])
      await terminal.answer(question, enter);
    await terminal.see(PLANNED);
    for (const [question, keys] of questions('root').slice(-3)) await terminal.answer(question, keys);
    const status = await terminal.ended;
    expect({ status, screen: terminal.screen() }).toMatchObject({ status: 0 });
    expect(terminal.screen()).toContain(`Verified through ssh to ${host.address}, over new connections`);
    expect(terminal.screen()).toContain(`docker-tls tunnel ${host.name} -- docker ps`);
    expect(person.snapshot()).not.toContain('contexts/meta');
  } finally {
    await host.must(`iptables -t raw -D ${rule}`);
  }
  expect(await person.run(['remove', host.name, '--yes'])).toMatchObject({ status: 0 });
  person.remove();
});

test('Ctrl-C when the host is already being told to keep it: all or nothing, and the status says which', async () => {
  const person = newPerson(program);
  const before = person.snapshot();
  const terminal = start(person);
  await answerUntil(terminal, 'root', '');
  await terminal.passes('confirming');
  terminal.type(ctrlC);
  const status = await terminal.ended;
  const verified = await person.run(['verify', host.name]);
  if (status === 0) expect(verified).toMatchObject({ status: 0 });
  else expect({ status, home: person.snapshot() }).toEqual({ status: 130, home: before });
  person.remove();
});
