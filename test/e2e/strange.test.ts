/**
 * Strange hosts, by the table in test/support/strange: each works (setup, a second one with nothing to do, remove, and the host is as it
 * was), or ends with one clear error and an untouched host. A dozen of them here; all of them by scripts/strange.
 */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exitOfCode } from '../../src/errors/catalogue.ts';
import { buildProgram, type Program } from '../support/cli.ts';
import { type LabHost, labUp, type Suite } from '../support/lab.ts';
import { installChattr, installNft, installPackages } from '../support/nft.ts';
import { newPerson, type Person, snapshotHost } from '../support/person.ts';
import { plainHttp } from '../support/plain-http.ts';
import { runAsRoot } from '../support/program-on-host.ts';
import type { StrangeCase } from '../support/strange/case.ts';
import { STRANGE } from '../support/strange/cases.ts';

const all = process.env.STRANGE === 'all';
const suite = (process.env.STRANGE_SUITE ?? 'trixie') as Suite;
const SHELLS = ['zsh', 'zsh-common', 'tcsh', 'ksh93u+m', 'mksh', 'opendoas', 'libcrypt1'];
const part = process.env.STRANGE_PART ?? '';

let program: Program;
let host: LabHost | undefined;
let person: Person;
/** How the host was before anything strange. */
let pristine: string;
let boots = 0;

/** The first host, and another one after a case that could not be undone. */
async function fresh(): Promise<LabHost> {
  await host?.down();
  person?.remove();
  boots += 1;
  [host] = (await labUp({ names: [`strange${part}-${boots}`], suite })) as [LabHost];
  person = newPerson(program, [host]);
  installNft(host);
  installChattr(host);
  // Other shells, and doas.
  if (all && suite !== 'bookworm') await installPackages(host, SHELLS);
  await host.must('cp -a /etc /root/etc && nft flush ruleset');
  // Ends at once when a daemon without live-restore is restarted.
  await host.container('web');
  pristine = await files(host);
  return host;
}

/** Without what every start of the daemon (20.10 makes a key.json), and docker.socket, changes. */
async function files(of: LabHost): Promise<string> {
  return (await snapshotHost(of, { daemon: false }))
    .replace(/\n\d+ (\S+ \S+)$/, '\n$1')
    .replace(/^.*\/etc\/docker\/key\.json.*\n/gm, '');
}

async function undo(of: LabHost, { end }: StrangeCase): Promise<boolean> {
  const { exit } = await of.exec(`${end ?? ':'}
    [ ! -e /var/lib/docker-tls/txn ] || exit 1
    for path in docker default/docker systemd/system sudoers.d ssh security environment hosts os-release passwd group gshadow machine-id localtime ufw; do
      rm -rf "/etc/$path" && { [ ! -e "/root/etc/$path" ] && [ ! -L "/root/etc/$path" ] || cp -a "/root/etc/$path" "/etc/$path"; } || exit 1
    done
    rm -f /etc/locale.conf; rm -rf /var/lib/docker-tls
    systemctl daemon-reload; systemctl reset-failed docker.service docker.socket; systemctl -q is-active docker.socket || systemctl restart docker.socket
    systemctl restart docker.service && docker start web`);
  return exit === 0 && (await files(of)) === pristine;
}

beforeAll(() => {
  program = buildProgram();
});
afterAll(async () => {
  await host?.down();
  person?.remove();
  program?.remove();
});

// Not by test.each, which shortens the names that scripts/strange chooses by.
for (const { title, cases } of STRANGE) {
  const older = suite === 'bookworm';
  const works = ({ on20, on28 }: StrangeCase) => (older ? on20 : suite === 'sid' ? on28 : undefined) === 'works';
  const chosen = cases
    .filter(({ short, on20 }) => (all || short) && !(older && on20 === 'left out'))
    .map((one) => (works(one) ? { ...one, code: undefined, says: undefined } : one));
  if (chosen.length === 0) continue;
  describe(title, () => {
    for (const one of chosen) test(one.name, () => run(one));
  });
}

async function run(one: StrangeCase): Promise<void> {
  const on = host ?? (await fresh());
  try {
    await on.must(one.make);
    await on.exec('timeout 10 docker start web');
    await check(on, one);
  } finally {
    if (!(await undo(on, one))) {
      await on.down();
      host = undefined;
    }
  }
}

function localSetup({ name, address }: LabHost): string[] {
  return ['setup', 'local', '--name', name, '--address', address, '--client', 'laptop', '--no-ca-passphrase', '--yes'];
}

async function check(on: LabHost, one: StrangeCase): Promise<void> {
  const { code, says, user, config, later, setup = [], remove = [] } = one;
  const words = one.local ? localSetup(on) : person.setup(on, setup, user);
  const cli = (argv: string[]) => (one.local ? runAsRoot(on, program, argv) : person.run(argv));
  person.addSshConfig(config ?? '');
  const before = await files(on);
  const run = await cli(words);
  const said = `${run.out}\n${run.err}`.replace(/\s+/g, ' ');
  expect(said).not.toContain('\u001b]');
  if (says) expect(said).toMatch(says);
  if (code !== undefined) {
    expect(said).toContain(`error[${code}]`);
    expect(run.status, said).toBe(exitOfCode(code));
    expect(said).toContain('hint: ');
  } else {
    expect(run, said).toMatchObject({ status: 0 });
    expect((await cli(words)).out).toContain('nothing to do');
    if (later !== undefined) {
      await on.must(later);
      expect(await plainHttp(on.address)).not.toContain('ApiVersion');
      const repaired = await cli(['apply', on.name, '--yes']);
      expect(repaired, repaired.err).toMatchObject({ status: 0 });
      expect((await cli(words)).out).toContain('nothing to do');
    }
    const removed = await cli(['remove', on.name, '--yes', ...remove]);
    expect(removed, removed.err).toMatchObject({ status: 0 });
  }
  expect(await files(on)).toBe(before);
}
