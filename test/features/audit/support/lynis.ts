/** Lynis on a lab host: Debian's package, downloaded by this machine's apt, because a lab host has no internet access. */

import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type LabHost, labRun } from '../../../support/lab.ts';

export async function installLynis(host: LabHost): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'docker-tls-lynis-'));
  try {
    await promisify(execFile)('apt-get', ['download', '-q', 'lynis'], { cwd: directory });
    const [name = ''] = await readdir(directory);
    const text = (await readFile(join(directory, name))).toString('base64');
    const install = 'base64 -d >/root/lynis.deb && dpkg --force-depends -i /root/lynis.deb && rm /root/lynis.deb';
    const { exit, err } = await labRun(['exec', host.name, 'sh', '-c', install], text);
    if (exit !== 0) throw new Error(err);
  } finally {
    await rm(directory, { recursive: true });
  }
}
