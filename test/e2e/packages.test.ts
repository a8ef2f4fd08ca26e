/** `harden --install` with a real apt, from a repository on the host itself: nothing unasked, nothing else changed, and gone with remove. */

import { afterAll, beforeAll, expect, it } from 'vitest';
import { buildProgram, type Program } from '../support/cli.ts';
import { type LabHost, labUp } from '../support/lab.ts';
import { newPerson, type Person } from '../support/person.ts';

let program: Program;
let host: LabHost;
let person: Person;
let before: string;

/** A package of nothing but its control file and one configuration file. */
const made = (name: string, fields: string) => `
  mkdir -p /srv/${name}/DEBIAN /srv/${name}/etc/made && echo x >/srv/${name}/etc/made/${name}
  printf 'Package: ${name}\\nVersion: 1.0\\nArchitecture: all\\nMaintainer: lab\\nDescription: lab\\nInstalled-Size: 2048\\n${fields}' >/srv/${name}/DEBIAN/control
  printf '/etc/made/${name}\\n' >/srv/${name}/DEBIAN/conffiles
  dpkg-deb -b /srv/${name} /srv/repo/${name}.deb >/dev/null
  { dpkg-deb -f /srv/repo/${name}.deb; printf 'Filename: ./${name}.deb\\nSize: %s\\nSHA256: %s\\n\\n' "$(stat -c %s /srv/repo/${name}.deb)" "$(sha256sum /srv/repo/${name}.deb | cut -d' ' -f1)"; } >>/srv/repo/Packages`;

const ETC = "cd /etc && find . -type f ! -name '*-' -exec sha256sum {} + | sort; ls -d /etc/made 2>/dev/null; :";
const installed = (...names: string[]) =>
  host.must(`dpkg-query -W -f '\${Package} ' ${names.join(' ')} 2>/dev/null; :`).then((text) => text.trim());

beforeAll(async () => {
  program = buildProgram();
  [host] = (await labUp({ names: ['packages'] })) as [LabHost];
  person = newPerson(program, [host]);
  await host.must(`mkdir -p /srv/repo
    ${made('liblab', '')}
    ${made('liblab2', '')}
    ${made('aide', 'Depends: liblab, liblab2\\n')}
    ${made('debsums', 'Conflicts: docker.io\\n')}
    ${made('needs-lab', 'Depends: liblab2\\n')}
    echo 'deb [trusted=yes] file:/srv/repo ./' >/etc/apt/sources.list
    rm -f /etc/apt/sources.list.d/*
    apt-get -q update`);
  before = await host.must(ETC);
  await person.run(person.setup(host, [], 'ops'));
});
afterAll(async () => {
  await host?.down();
  person?.remove();
  program?.remove();
});

it('says what a package weighs and brings, and installs it only with a need their own consent', async () => {
  const only = ['harden', host.name, '--only', 'log-limits'];
  const shown = await person.run([...only, '--install', 'aide', '--dry-run']);
  expect(shown.status, shown.err).toBe(0);
  expect(shown.out).toSay('packages-kb-download-mb', '3', '6.3');
  expect(shown.out).toSay('aide-mb-checker-file', '1.0', '2.1');
  expect(shown.out).toSay('liblab-mb-needed-others', '1.0', '2.1');

  const unasked = await person.run([...only, '--install', 'aide', '--yes']);
  expect([unasked.status, unasked.err]).toEqual([
    2,
    expect.stringMatching(/aide.*need their own consent[\s\S]*--accept aide/),
  ]);
  const never = await person.run([...only, '--install', 'fail2ban', '--yes']);
  expect([never.status, never.err]).toEqual([2, expect.stringMatching(/fail2ban.*bans an address/)]);
  const removing = await person.run([...only, '--install', 'debsums', '--accept', 'debsums', '--yes']);
  expect([removing.status, removing.err]).toEqual([4, expect.toSay('also-upgrade-remove-docker', 'E_PACKAGES')]);
  expect(await installed('aide', 'liblab', 'liblab2', 'debsums')).toBe('');
  expect(await host.must('ls /etc/docker/daemon.json 2>/dev/null; :')).toBe('');
});

it('installs it, and remove takes away what nothing else needs', async () => {
  const daemon = await host.must('systemctl show -p MainPID docker');
  // Here already: not ours to take away.
  await host.must('apt-get -q -y install liblab && apt-mark auto liblab');
  const out = await person.run([
    'harden',
    host.name,
    '--only',
    'sshd',
    '--install',
    'aide',
    '--accept',
    'aide',
    '--yes',
  ]);
  expect(out.status, out.err).toBe(0);
  expect(out.out).toMatch(/2 packages, /);
  expect(await installed('aide', 'liblab2')).toBe('aide liblab2');
  expect(await host.must('systemctl show -p MainPID docker'), 'no restart').toBe(daemon);
  expect(await host.must('cat /var/lib/docker-tls/packages')).toBe('aide\nliblab2');
  const again = await person.run([
    'harden',
    host.name,
    '--only',
    'sshd',
    '--install',
    'aide',
    '--accept',
    'aide',
    '--yes',
  ]);
  expect(again.out).toSay('packages-aide-installed-already');
  expect((await person.run(['plan', host.name, '--check'])).status).toBe(0);

  // Another one has come to need it.
  await host.must('apt-get -q -y install needs-lab');
  const words = expect.toSay('purged-afterwards', 'aide and liblab2');
  expect((await person.run(['remove', host.name, '--dry-run'])).out.replace(/\s+/g, ' ')).toEqual(words);
  const removed = await person.run(['remove', host.name, '--yes']);
  expect(removed.status, removed.err).toBe(0);
  expect(removed.out.replace(/\s+/g, ' ')).toMatch(/packages purged: aide/);
  expect(removed.out.replace(/\s+/g, ' ')).toMatch(/packages that stay: liblab2: .*needs-lab/);
  expect(await installed('liblab', 'liblab2')).toBe('liblab liblab2');
  expect(await host.must('ls /var/lib/docker-tls 2>/dev/null; :')).toBe('');
  await host.must('apt-get -q -y purge needs-lab liblab liblab2');
  expect(await host.must(ETC)).toBe(before);
});
