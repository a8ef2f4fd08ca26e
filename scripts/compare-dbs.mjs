// Lays the verdicts of `docker-tls audit` beside those of docker-bench-security on the same lab hosts, and prints where they differ:
// node scripts/compare-dbs.mjs DIR LAB-HOST…   DIR: your checkout of docker/docker-bench-security (none is part of this project).
// node scripts/compare-dbs.mjs DIR --states [SUITE…]   boots hosts, and compares each fresh, after setup, after harden, and deliberately insecure
// It takes root. docs/lists/checks.md says which one to believe; what a row there does not explain is a mistake of one of the two.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { dockerBenchSecurity } from './other-audits.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const lab = join(root, 'scripts/lab');
const [checkout, ...words] = process.argv.slice(2);
const states = words[0] === '--states';
if (words.length === 0) throw new Error('node scripts/compare-dbs.mjs DIR LAB-HOST… | --states [SUITE…]');
const directory = mkdtempSync(join(tmpdir(), 'docker-tls-dbs-'));

function run(program, words, options = {}) {
  const done = spawnSync(program, words, { maxBuffer: 1 << 26, env: { ...process.env, HOME: directory }, ...options });
  if (done.status !== 0) throw new Error(`${program} ${words.join(' ')}: ${done.error ?? done.stderr}`);
  return done.stdout;
}

/** Their verdicts by number. */
function theirs(host) {
  const said = dockerBenchSecurity(host, checkout);
  const lines = [...said.matchAll(/^\[(PASS|WARN|INFO|NOTE)\] (\d+(?:\.\d+)+) +- /gm)];
  // 1.1 and 1.2 are headings.
  return new Map(lines.filter(([, , id]) => !/^1\.\d$/.test(id)).map(([, verdict, id]) => [id, verdict]));
}

/** Ours by number; what a person has to judge is `asks`. */
function ours({ address, keyFile }) {
  const words = [
    '--home',
    join(directory, 'store'),
    'audit',
    `ops@${address}`,
    '-i',
    keyFile,
    '--host-key',
    'accept-new',
    '--benchmark',
    '1.6',
  ];
  const { result } = JSON.parse(
    String(run(process.execPath, [join(directory, 'bin/docker-tls.js'), ...words, '--json'])),
  );
  return new Map(
    result.subjects[0].results
      .filter(({ id }) => /^\d/.test(id))
      .map(({ id, state, reason = '', evidence = [] }) => [
        id,
        {
          verdict: reason.startsWith('needs a person') ? 'asks' : state,
          because: reason || (evidence[0] === undefined ? '' : `${evidence[0].place}: ${evidence[0].text}`),
        },
      ]),
  );
}

/** Theirs that mean the same as ours. */
const SAME = {
  pass: ['PASS'],
  finding: ['WARN'],
  asks: ['NOTE', 'INFO'],
  'not-applicable': ['INFO', 'NOTE', 'absent'],
};

function compare(name, host) {
  const mine = ours(host);
  const bench = theirs(host.name);
  const ids = [...new Set([...mine.keys(), ...bench.keys()])].sort((a, b) =>
    a.localeCompare(b, 'en', { numeric: true }),
  );
  const rows = ids.map((id) => ({
    id,
    their: bench.get(id) ?? 'absent',
    ...(mine.get(id) ?? { verdict: 'absent' }),
  }));
  const differences = rows.filter(({ their, verdict }) => SAME[verdict]?.includes(their) !== true);
  console.log(`${name}: ${rows.length} checks, ${rows.length - differences.length} alike`);
  for (const { id, their, verdict, because = '' } of differences) {
    console.log(`${id.padEnd(7)} ${their.padEnd(7)} ${verdict.padEnd(15)} ${because}`);
  }
}

/** All fixes that cost something but userns-remap, with which the lab starts no container. */
const ACCEPTED = 'icc,userland-proxy,sshd-root,sshd-passwords,docker-group';
const MADE = readFileSync(join(root, 'test/features/audit/golden/audit/states.sh'));

function up(name, suite) {
  return JSON.parse(String(run(lab, ['up', name, '--suite', suite, '--owner-pid', String(process.pid), '--json'])))[0];
}

function become(name, state) {
  run(lab, ['exec', name, 'sh', '-s', state], { input: MADE });
}

/** Fresh, after setup and after harden on one host, each of the last two with a container; then an insecure one. */
function compareStates(suite) {
  const dockerTls = (...argv) =>
    run(process.execPath, [join(directory, 'bin/docker-tls.js'), '--home', join(directory, 'store'), ...argv, '--yes']);
  const [name, bad] = [`dbs-${suite}`, `dbs-bad-${suite}`];
  try {
    const host = up(name, suite);
    compare(`fresh ${suite}`, host);
    const login = ['-i', host.keyFile, '--host-key', 'accept-new', '--no-ca-passphrase', '--name', name];
    dockerTls('setup', `ops@${host.address}`, ...login);
    become(name, 'web');
    compare(`setup ${suite}`, host);
    dockerTls('harden', name, '--accept', ACCEPTED);
    run(lab, ['exec', name, 'sh', '-c', 'docker rm -f $(docker ps -aq) >/dev/null']);
    become(name, 'web');
    compare(`harden ${suite}`, host);
    const insecure = up(bad, suite);
    become(bad, 'bad');
    compare(`insecure ${suite}`, insecure);
  } finally {
    run(lab, ['down', name, bad]);
  }
}

try {
  run(process.execPath, [join(root, 'scripts/build.mjs'), join(directory, 'dist')]);
  for (const path of ['bin', 'package.json']) cpSync(join(root, path), join(directory, path), { recursive: true });
  if (states) {
    const suites = words.slice(1);
    for (const suite of suites.length > 0 ? suites : ['bookworm', 'trixie', 'sid']) compareStates(suite);
  } else {
    const hosts = JSON.parse(String(run(lab, ['list', '--json'])));
    for (const name of words) {
      const host = hosts.find((one) => one.name === name);
      if (host === undefined) throw new Error(`${name}: no such lab host (scripts/lab up ${name})`);
      compare(name, host);
    }
  }
} finally {
  rmSync(directory, { recursive: true });
}
