/**
 * Records what Docker Compose makes of each project in projects.txt: `node record.mjs PROGRAM`, where PROGRAM is the docker-compose
 * plugin (Debian: package docker-compose, /usr/libexec/docker/cli-plugins/docker-compose).
 */

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const here = import.meta.dirname;
const program = process.argv[2] ?? '/usr/libexec/docker/cli-plugins/docker-compose';
const recorded = { version: execFileSync(program, ['version', '--short'], { encoding: 'utf8' }).trim(), models: {} };

for (const project of readFileSync(join(here, 'projects.txt'), 'utf8').split(/^### /m).slice(1)) {
  const [head, ...files] = project.split(/^=== /m);
  const [name, named] = head.trim().split(/: (?=\S+\.yaml)/);
  const root = mkdtempSync(join(tmpdir(), 'project-'));
  for (const file of files) {
    const [path, ...lines] = file.split('\n');
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), lines.join('\n'));
  }
  const flags = (named?.split(' ') ?? []).flatMap((file) => ['-f', file]);
  try {
    const env = { PATH: '/usr/bin:/bin', HOME: '/home/user', COMPOSE_PROFILES: '*' };
    const text = execFileSync(program, [...flags, '-p', 'project', 'config', '--format', 'json'], {
      cwd: root,
      env,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    recorded.models[head.trim()] = JSON.parse(text.replaceAll(root, '/project'));
  } catch (error) {
    console.error(`${name}: ${error.stderr ?? error}`);
    process.exitCode = 1;
  }
  rmSync(root, { recursive: true });
}
writeFileSync(join(here, 'models.json'), `${JSON.stringify(recorded, null, 1)}\n`);
