// Records the facts of lab hosts anew, as setup gathers them: node test/core/golden/plan/record.mjs [SUITE…]. One host of each suite, fresh with a
// running container, then set up by docker-tls. Takes root, and some 20 s for each. Afterwards: UPDATE_GOLDEN=1 npx vitest run
// test/core/golden/plan.test.ts, and review the difference.

import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { factsScript } from '../../../../scripts/host-scripts.mjs';

const root = fileURLToPath(new URL('../../../../', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'docker-tls-record-'));
/** PATH of a session. */
const PATH = '/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin';
const FACTS_SCRIPT = await factsScript();

function run(program, args, input = '') {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    input,
    maxBuffer: 1 << 26,
    env: { ...process.env, HOME: directory },
  });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${error ?? `exit ${status}\n${stderr}`}`);
  return stdout;
}

const lab = (args, input) => run(join(root, 'scripts/lab'), args, input);

/** Owner of a suite's Docker, the prefix of their commands, and the program that runs containers. */
function ownerOf(suite) {
  return suite === 'rootless'
    ? { user: 'rooty', as: ['runuser', '-l', 'rooty', '-c'], engine: 'docker', init: '--init' }
    : {
        user: 'root',
        as: ['sh', '-c'],
        ...(suite === 'podman' ? { engine: 'podman', init: '' } : { engine: 'docker', init: '--init' }),
      };
}

function record(suite) {
  const { user, as, engine, init } = ownerOf(suite);
  const host = `plan-${suite}`;
  const up = lab(['up', host, '--suite', suite, '--owner-pid', String(process.pid), '--json']);
  const [{ address, keyFile }] = JSON.parse(up);
  const save = (state) => {
    const script = `MORE_PATHS= PROGRAMS=\n${FACTS_SCRIPT}`;
    const directory = ['rootless', 'podman'].includes(suite) ? `../../../features/${suite}/golden/plan/` : './';
    writeFileSync(
      new URL(`${directory}${suite}-${state}.facts`, import.meta.url),
      lab(['exec', host, ...as, `PATH=${PATH} sh -s`], script),
    );
  };
  try {
    lab(['exec', host, ...as, `${engine} import ~/busybox.tar busybox`]);
    lab(['exec', host, ...as, `${engine} run -d ${init} --name web --restart always busybox sleep 1d`]);
    save('fresh');
    const program = join(directory, 'bin/docker-tls.js');
    const words = ['setup', `${user}@${address}`, '--name', host, '-i', keyFile, '--host-key', 'accept-new'];
    const store = [
      '--home',
      join(directory, 'store'),
      '--no-ca-passphrase',
      '--yes',
      '--containers',
      user === 'root' ? 'keep' : 'may-stop',
    ];
    run(process.execPath, [program, ...words, ...store]);
    save('set-up');
    console.log(`recorded ${suite}`);
  } finally {
    lab(['down', host]);
  }
}

try {
  run(process.execPath, [join(root, 'scripts/build.mjs'), join(directory, 'dist')]);
  for (const path of ['bin', 'package.json']) cpSync(join(root, path), join(directory, path), { recursive: true });
  const named = process.argv.slice(2);
  for (const suite of named.length > 0 ? named : ['bookworm', 'trixie', 'sid', 'rootless', 'podman']) record(suite);
} finally {
  rmSync(directory, { recursive: true, force: true });
}
