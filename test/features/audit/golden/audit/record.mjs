// Records the facts of lab hosts anew: node test/features/audit/golden/audit/record.mjs [STATE-SUITE…], for instance bad-trixie; without names, every
// recording that is there. Each state is made on a host of its own (states.sh; "fresh" is one as it boots; "setup", "harden" and "lynis" are
// made by docker-tls itself, every fix accepted, with a plain container afterwards). Takes root, and some 15 s for each. Afterwards: UPDATE_GOLDEN=1 npx vitest run test/features/audit/golden/audit-verdicts.test.ts, and review the difference.

import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundled } from '../../../../../scripts/host-scripts.mjs';

const here = new URL('./', import.meta.url);
const lab = fileURLToPath(new URL('../../../../../scripts/lab', here));
const { AUDIT_SCRIPT } = await bundled('src/features/audit/host/audit-scripts.ts');
const { SYSCTL_PATHS } = await bundled('src/features/audit/domain/sysctls.ts');
/** As src/core/engine/gather.ts sends it. */
const script = `SYSCTLS='${SYSCTL_PATHS}'\n${AUDIT_SCRIPT}`;
const states = readFileSync(new URL('states.sh', here));

const root = fileURLToPath(new URL('../../../../../', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'docker-tls-record-'));

function run(args, input = '', program = lab) {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    input,
    maxBuffer: 1 << 26,
    env: { ...process.env, HOME: directory },
  });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${error ?? `exit ${status}\n${stderr}`}`);
  return stdout;
}

/** All except userns-remap: with it the lab starts no container ("remapped" is that state). */
const ACCEPTED = 'icc,userland-proxy,sshd-root,sshd-passwords,docker-group';

/** For the profile lynis, of the host outside of Docker. */
const ACCEPTED_OF_HOST = 'modules-used,sshd-forwarding,sshd-sessions,umask,session-timeout';
const BANNER = 'Authorized users only. Use of this system is monitored and recorded.';

/** The current program. */
function dockerTls(...words) {
  run(
    [join(directory, 'bin/docker-tls.js'), '--home', join(directory, 'store'), ...words, '--yes'],
    '',
    process.execPath,
  );
}

function build() {
  run([join(root, 'scripts/build.mjs'), join(directory, 'dist')], '', process.execPath);
  for (const path of ['bin', 'package.json']) cpSync(join(root, path), join(directory, path), { recursive: true });
}

function record(name) {
  const cut = name.indexOf('-');
  const [state, suite] = [name.slice(0, cut), name.slice(cut + 1)];
  const host = `rec-${name}`;
  const [{ address, keyFile }] = JSON.parse(
    run(['up', host, '--suite', suite, '--owner-pid', String(process.pid), '--json']),
  );
  try {
    if (state === 'setup' || state === 'harden' || state === 'lynis') {
      dockerTls(
        'setup',
        `ops@${address}`,
        '--name',
        host,
        '-i',
        keyFile,
        '--host-key',
        'accept-new',
        '--no-ca-passphrase',
        // Also for `harden`: a virtual machine is slow.
        '--confirm-within',
        '5m',
      );
      if (state === 'harden') dockerTls('harden', host, '--accept', ACCEPTED);
      if (state === 'lynis')
        dockerTls(
          'harden',
          host,
          '--profile',
          'lynis',
          '--accept',
          `${ACCEPTED},${ACCEPTED_OF_HOST}`,
          '--banner',
          BANNER,
        );
      run(['exec', host, 'sh', '-s', 'web'], states);
    } else if (state !== 'fresh') run(['exec', host, 'sh', '-s', state], states);
    writeFileSync(new URL(`${name}.facts`, here), run(['exec', host, 'sh', '-s'], script));
    console.log(`recorded ${name}`);
  } finally {
    run(['down', host]);
  }
}

const there = readdirSync(here)
  .filter((file) => file.endsWith('.facts'))
  .map((file) => file.slice(0, -'.facts'.length));
try {
  build();
  for (const name of process.argv.length > 2 ? process.argv.slice(2) : there) record(name);
} finally {
  rmSync(directory, { recursive: true });
}
