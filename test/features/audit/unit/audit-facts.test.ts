import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { parseAuditFacts } from '../../../../src/features/audit/domain/audit-facts.ts';
import { AUDIT_SCRIPT } from '../../../../src/features/audit/host/audit-scripts.ts';
import { printSections, sectionsOf } from '../../../support/sections.ts';
import { altered, recordedBytes } from '../support/audit-facts.ts';

describe('sections', () => {
  test('hold any bytes, line ends and look-alikes included', () => {
    const sections = [
      { name: 'a', content: Buffer.from('\n--ffffffffffffffffffffffffffffffff done\n') },
      { name: 'b', content: Buffer.from([0, 255, 10, 10, 13]) },
      { name: 'c', content: Buffer.alloc(0) },
      { name: 'done', content: Buffer.alloc(0) },
    ];
    expect(sectionsOf('audit', printSections('audit', sections))).toEqual(sections);
  });

  test('a banner before the header is left out', () => {
    const whole = Buffer.concat([
      Buffer.from('Welcome!\n--x done\n'),
      printSections('audit', [{ name: 'done', content: Buffer.alloc(0) }]),
    ]);
    expect(sectionsOf('audit', whole)).toHaveLength(1);
  });

  test.each([
    ['nothing', Buffer.alloc(0)],
    ['something else', Buffer.from('sh: not found\n')],
    ['half of it', recordedBytes('fresh-trixie').subarray(0, 9000)],
    ['all but the last line', recordedBytes('fresh-trixie').subarray(0, -3)],
  ])('%s is an error that says so', (_name, bytes) => {
    expect(() => parseAuditFacts(bytes)).toThrow(expect.objectContaining({ code: 'E_AUDIT_FACTS', exit: 4 }));
  });
});

describe('the script', () => {
  test('runs on this machine by sh, from standard input, whether Docker is here or not, and says nothing on stderr', () => {
    const stdout = execFileSync('sh', ['-s'], { input: AUDIT_SCRIPT, stdio: ['pipe', 'pipe', 'inherit'] });
    const facts = parseAuditFacts(stdout);
    expect(facts.kernel).toMatch(/^Linux /);
    expect(facts.mounts.has('/')).toBe(true);
    expect(Number.isNaN(facts.clock.getTime())).toBe(false);
  });

  test('never reads a private key: only whole certificate blocks are printed', () => {
    const facts = parseAuditFacts(recordedBytes('bad-trixie'));
    expect(facts.tls.key?.pem).toBe('');
    expect(facts.tls.cert?.pem).toMatch(/^-----BEGIN CERTIFICATE-----\n[\s\S]*-----END CERTIFICATE-----$/);
    expect(recordedBytes('bad-trixie').includes('PRIVATE KEY')).toBe(false);
  });

  test('the dockerd of the pid file counts, which has no line end, and not the first one that runs', () => {
    const find = /find_dockerd\(\) \{[\s\S]*?\n\}/.exec(AUDIT_SCRIPT)?.[0] ?? '';
    const found = execFileSync(
      'sh',
      [
        '-c',
        `cd "$(mktemp -d)" && mkdir -p proc/2345 proc/987 run
         for pid in 2345 987; do echo dockerd >proc/$pid/comm; echo 0::/x >proc/$pid/cgroup; done
         printf 987 >run/docker.pid
         ${find.replaceAll('/run/docker.pid', 'run/docker.pid').replaceAll('/proc/', 'proc/')}
         find_dockerd; echo "$dockerd"; rm run/docker.pid; find_dockerd; echo "$dockerd"; rm -r "$PWD"`,
      ],
      { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
    );
    expect(found).toBe('987\n2345\n');
  });

  // chown requires root.
  test.runIf(process.getuid?.() === 0)(
    'a rootless dockerd comes after one of root, and has its daemon.json in its own directory',
    () => {
      const parts = ['find_dockerd', 'own_config'].map(
        (name) => new RegExp(`^${name}\\(\\) \\{[\\s\\S]*?\\n\\}`, 'm').exec(AUDIT_SCRIPT)?.[0] ?? '',
      );
      const script = parts.join('\n').replaceAll('/run/docker.pid', 'run/docker.pid').replaceAll('/proc/', 'proc/');
      const found = execFileSync(
        'sh',
        [
          '-c',
          `cd "$(mktemp -d)" && mkdir -p proc/12 proc/34 proc/56
         for pid in 12 34 56; do echo dockerd >proc/$pid/comm; echo 0::/x >proc/$pid/cgroup; done
         printf 'HOME=/home/a b\\0X=y\\0' >proc/12/environ; printf 'HOME=/home/c\\0XDG_CONFIG_HOME=/cfg\\0' >proc/34/environ
         chown 1000 proc/12 proc/34
         ${script}
         say() { config=/etc/docker/daemon.json; find_dockerd; own_config; echo "$dockerd $config"; }
         say; rm -r proc/56; say; rm -r proc/12; say; rm -r "$PWD"`,
        ],
        { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
      );
      expect(found).toBe(
        '56 /etc/docker/daemon.json\n12 /home/a b/.config/docker/daemon.json\n34 /cfg/docker/daemon.json\n',
      );
    },
  );

  test('of many containers those that run are asked for, each once', () => {
    const [first, facts] = ['first', 'api_facts'].map(
      (name) => new RegExp(`^${name}\\(\\) (\\{.*\\}$|\\{[\\s\\S]*?\\n\\})`, 'm').exec(AUDIT_SCRIPT)?.[0] ?? '',
    );
    const stub = `id() { printf '"Id":"%064x"\n' "$1"; }
      ask() {
        for path in "$@"; do
          case $path in
            /info) echo ' api 200 ' ;;
            /containers/json) id 1000; id 7 ;;
            *all=1) for n in $(seq 1 310) 1000; do id "$n"; done ;;
            /containers/*/json) echo "$path" >&3 ;;
          esac
        done
      }`;
    const requested = execFileSync(
      'bash',
      [
        '-c',
        `${first}\n${facts?.replace('[ -S "$socket" ] || return 0', '')}\n${stub}\nend() { :; }\napi_facts 3>&1 >/dev/null`,
      ],
      { encoding: 'utf8' },
    )
      .trim()
      .split('\n');
    const numbers = requested.map((path) => Number.parseInt(path.slice(-69, -5), 16));
    expect(numbers.slice(0, 4)).toEqual([1000, 7, 1, 2]);
    expect(new Set(numbers).size).toBe(300);
    expect(numbers).toHaveLength(300);
  });

  test('sshd is asked with the options that it was started with, and the files that it includes are read', () => {
    const parts = ['sshd_options', 'effective_sshd', 'sshd_files'].map(
      (name) => new RegExp(`^${name}\\(\\) \\{[\\s\\S]*?\\n\\}`, 'm').exec(AUDIT_SCRIPT)?.[0] ?? '',
    );
    const script = parts
      .join('\n')
      .replaceAll('/run/sshd.pid', 'run/sshd.pid')
      .replaceAll('/proc/', 'proc/')
      .replaceAll('/etc/ssh/', '$PWD/');
    const found = execFileSync(
      'sh',
      [
        '-c',
        `cd "$(mktemp -d)" && mkdir -p proc/7 run sshd_config.d more
         echo 7 >run/sshd.pid; echo sshd >proc/7/comm
         sshd() { case $* in *bad*) return 1 ;; *) echo "$@" ;; esac; }
         title() { printf 'sshd: /usr/sbin/sshd -D %s [listener] 0 of 10-100 startups\\0' "$1" >proc/7/cmdline; }
         ${script}
         title '-o A=b -oC=d -f x'; effective_sshd -C user=root
         title '-o PermitRootLogin yes -e -oUsePAM no -o A'; effective_sshd
         title '-o bad'; effective_sshd -C user=root
         printf '/usr/sbin/sshd\\0-D\\0-f\\0%s\\0' "$PWD/other" >proc/7/cmdline; effective_sshd | sed "s#$PWD/##"
         echo dropbear >proc/7/comm; effective_sshd
         printf 'include "sshd_config.d/*.conf"\\n# Include more/no.conf\\n' >sshd_config
         printf 'Include = %s/more/*.conf sshd_config\\r\\n' "$PWD" >sshd_config.d/a.conf
         touch more/b.conf more/no.txt
         sshd_files; echo "$sshd_files" | sed "s#$PWD/##g"
         rm -r "$PWD"`,
      ],
      { encoding: 'utf8' },
    );
    expect(found.split('\n')).toEqual([
      '-T -C user=root -oA=b -oC=d -fx',
      '-T -oPermitRootLogin=yes -oUsePAM=no -oA',
      '-T -C user=root',
      '-T -fother',
      '-T',
      'sshd_config sshd_config.d/a.conf more/b.conf',
      '',
    ]);
  });

  test('of a file that mixes key and certificate, broken ones too, no key is printed', () => {
    const filter = /certificates\(\) \{[\s\S]*?\n\}/.exec(AUDIT_SCRIPT)?.[0];
    const key = '-----BEGIN PRIVATE KEY-----\nU0VDUkVU\n-----END PRIVATE KEY-----\n';
    const good = '-----BEGIN CERTIFICATE-----\nR09PRA==\n-----END CERTIFICATE-----\n';
    const files = [
      `${key}${good}`,
      `${good}${key}`,
      `-----BEGIN CERTIFICATE-----\nR09P\n${key}-----END CERTIFICATE-----\n`,
      `-----BEGIN CERTIFICATE-----\n${key}`,
    ];
    const printed = files.map((text) =>
      execFileSync('sh', ['-c', `${filter}\nf=$(mktemp); cat >"$f"; certificates "$f"; rm -f "$f"`], {
        input: text,
      }).toString(),
    );
    expect(printed).toEqual([good, good, '', '']);
  });
});

describe('facts of recorded hosts', () => {
  test('a fresh host', () => {
    const facts = parseAuditFacts(recordedBytes('fresh-bookworm'));
    expect(facts).toMatchObject({
      os: 'Debian GNU/Linux 12 (bookworm)',
      dockerGroup: [],
      apparmor: false,
    });
    expect(facts.daemon).toMatchObject({ running: true, binary: '/usr/sbin/dockerd' });
    expect(facts.files.get('/run/docker.sock')).toMatchObject({
      kind: 'socket',
      mode: 0o660,
      user: 'root',
      group: 'docker',
    });
    expect(facts.sshd?.get('passwordauthentication')).toEqual(['yes']);
    expect(facts.docker?.containers).toEqual([]);
  });

  test('a host where everything is wrong', () => {
    const facts = parseAuditFacts(recordedBytes('bad-sid'));
    expect(facts.dockerGroup).toEqual(['ops', 'pat', 'noisy']);
    expect(facts.listeners.filter(({ byDockerd }) => byDockerd).map(({ port }) => port)).toContain(2375);
    expect(facts.keyFiles.map(({ path }) => path).sort()).toEqual([
      '/etc/docker/tls/ca-key.pem',
      '/etc/docker/tls/server-key.pem',
    ]);
    expect(facts.docker?.containers.map(({ name, privileged }) => [name, privileged])).toEqual([
      ['bad', true],
      ['loose', false],
    ]);
    expect(facts.sshdContainers.size).toBe(1);
    expect(facts.docker?.execs).toEqual([expect.objectContaining({ privileged: true, user: 'root' })]);
  });

  test('without a running dockerd, its unit tells how it would run', () => {
    const facts = altered('fresh-trixie', { sections: { 'dockerd-cmdline': undefined } });
    expect(facts.daemon.running).toBe(false);
    expect(facts.daemon.flags).toContainEqual(expect.objectContaining({ name: '--host', value: 'fd://' }));
  });

  test.each([
    ['0100007F:0947', '127.0.0.1', 2375],
    ['00000000000000000000000000000000:0948', '::', 2376],
    ['0000000000000000FFFF00000100007F:0016', '::ffff:127.0.0.1', 22],
    ['B80D01200000000000000000350B0000:0050', '2001:db8::b35', 80],
  ])('the kernel writes %s for %s', (text, address, port) => {
    const facts = altered('fresh-trixie', {
      sections: { 'tcp-listen': `/proc/net/tcp ${text} 7`, 'dockerd-sockets': 'socket:[7]' },
    });
    expect(facts.listeners).toEqual([{ address, port, byDockerd: true }]);
  });
});
