/** Our contexts under the real docker CLI: it reads our files, and we understand its changes to them. */

import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readJsonSync, removeSync } from 'fs-extra/esm';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { currentContext } from '../../../../src/core/adapters/docker/config-file.ts';
import { Secret } from '../../../../src/core/domain/secret.ts';
import { readContext, removeContext, writeContext } from '../../../../src/features/contexts/adapters/contexts.ts';
import { CertificateFactory } from '../../../support/certificate-factory.ts';

const factory = new CertificateFactory();
const ca = factory.issue('ca', { ca: true });
const client = factory.issue('laptop', { by: ca, usage: 'clientAuth' });
const renewed = factory.issue('laptop', { by: ca, usage: 'clientAuth' });
const directories: string[] = [];
let dockerConfig = '';

beforeEach(() => {
  dockerConfig = mkdtempSync(join(tmpdir(), 'docker-tls-contexts-'));
  directories.push(dockerConfig);
});
afterAll(() => {
  factory.remove();
  for (const directory of directories) removeSync(directory);
});

function docker(args: readonly string[], who: { uid?: number; gid?: number } = {}): string {
  return execFileSync('docker', args, {
    env: { PATH: process.env.PATH, DOCKER_CONFIG: dockerConfig, HOME: dockerConfig },
    stdio: ['ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
    ...who,
  });
}

function wanted(more: Partial<Parameters<typeof writeContext>[0]> = {}): Parameters<typeof writeContext>[0] {
  return {
    name: 'build-1',
    dockerConfig,
    host: 'tcp://10.0.0.7:2376',
    ca: ca.cert,
    cert: client.cert,
    key: new Secret(client.key),
    ...more,
  };
}

type Inspected = {
  Name: string;
  Metadata: Record<string, unknown>;
  Endpoints: Record<string, Record<string, unknown>>;
  TLSMaterial: Record<string, string[]>;
};

function inspect(name: string): Inspected {
  return (JSON.parse(docker(['context', 'inspect', name])) as [Inspected])[0];
}

function modeOf(path: string): string {
  return (statSync(path).mode & 0o777).toString(8);
}

/** As a non-root user, for whom modes have an effect. */
function giveToUidNobody(path: string): { uid: number; gid: number } {
  const who =
    process.getuid?.() === 0
      ? { uid: 65534, gid: 65534 }
      : { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  chownSync(path, who.uid, who.gid);
  if (statSync(path).isDirectory()) for (const name of readdirSync(path)) giveToUidNobody(join(path, name));
  return who;
}

describe('writeContext', () => {
  it('makes a context that docker lists, inspects and uses, with the modes that keys want', async () => {
    const { changed, created, directory } = await writeContext(wanted({ description: 'build host' }));
    expect({ changed, created }).toEqual({ changed: true, created: true });
    expect(docker(['context', 'ls', '--format', '{{.Name}}|{{.Description}}|{{.DockerEndpoint}}'])).toContain(
      'build-1|build host|tcp://10.0.0.7:2376',
    );
    expect(inspect('build-1')).toMatchObject({
      Name: 'build-1',
      Endpoints: { docker: { Host: 'tcp://10.0.0.7:2376', SkipTLSVerify: false } },
      TLSMaterial: { docker: ['ca.pem', 'cert.pem', 'key.pem'] },
    });
    expect(modeOf(directory)).toBe('700');
    expect(readdirSync(directory).map((name) => `${name} ${modeOf(join(directory, name))}`)).toEqual([
      'ca.pem 444',
      'cert.pem 444',
      'key.pem 400',
    ]);
    expect(readdirSync(join(directory, '..'))).toEqual(['docker']);
    docker(['context', 'use', 'build-1']);
    expect(await readContext(wanted())).toMatchObject({
      ours: true,
      current: true,
      host: 'tcp://10.0.0.7:2376',
      ca: ca.cert,
      directory,
    });
  });

  it('changes nothing when nothing has to change', async () => {
    await writeContext(wanted({ use: true }));
    const meta = join(dockerConfig, 'contexts', 'meta');
    const before = statSync(join(meta, readdirSync(meta)[0] as string, 'meta.json')).ino;
    expect(await writeContext(wanted({ use: true }))).toMatchObject({ changed: false, created: false });
    expect(statSync(join(meta, readdirSync(meta)[0] as string, 'meta.json')).ino).toBe(before);
  });

  it('closes what other users could read by now, and has docker verify the server again', async () => {
    const { directory } = await writeContext(wanted());
    docker(['context', 'update', 'build-1', '--docker', `host=tcp://10.0.0.7:2376,skip-tls-verify=true`]);
    await writeContext(wanted());
    expect(inspect('build-1').Endpoints.docker?.SkipTLSVerify).toBe(false);
    const places = [join(directory, '..'), directory, join(directory, 'key.pem')];
    for (const path of places) chmodSync(path, 0o755);
    expect(await writeContext(wanted())).toMatchObject({ changed: true, created: false });
    expect(places.map(modeOf)).toEqual(['700', '700', '400']);
  });

  it('renews the files of a context', async () => {
    const { directory } = await writeContext(wanted());
    expect(await writeContext(wanted({ cert: renewed.cert, key: new Secret(renewed.key) }))).toMatchObject({
      changed: true,
      created: false,
    });
    expect(readFileSync(join(directory, 'cert.pem'), 'utf8')).toBe(renewed.cert);
    expect(readFileSync(join(directory, 'key.pem'), 'utf8')).toBe(renewed.key);
    expect(modeOf(join(directory, 'key.pem'))).toBe('400');
  });

  it("survives what docker does: update loses the TLS files, and the next write brings them back; our mark and others' fields stay", async () => {
    await writeContext(wanted());
    docker(['context', 'update', 'build-1', '--description', 'mine', '--docker', 'host=tcp://10.0.0.8:2376']);
    expect(inspect('build-1').TLSMaterial).toEqual({});
    expect(await readContext(wanted())).toMatchObject({ ours: true, host: 'tcp://10.0.0.8:2376', cert: undefined });
    const file = join(
      dockerConfig,
      'contexts',
      'meta',
      readdirSync(join(dockerConfig, 'contexts', 'meta'))[0] as string,
      'meta.json',
    );
    const meta = readJsonSync(file);
    meta.Metadata.Team = { of: ['ada'] };
    meta.Endpoints.kubernetes = { Host: 'https://k8s.example', DefaultNamespace: 'x' };
    writeFileSync(file, JSON.stringify(meta));
    expect(await writeContext(wanted())).toMatchObject({ changed: true, created: false });
    expect(inspect('build-1')).toMatchObject({
      Metadata: { Description: 'mine', Team: { of: ['ada'] } },
      Endpoints: {
        docker: { Host: 'tcp://10.0.0.7:2376' },
        kubernetes: { Host: 'https://k8s.example', DefaultNamespace: 'x' },
      },
      TLSMaterial: { docker: ['ca.pem', 'cert.pem', 'key.pem'] },
    });
  });

  it('leaves a context that a user can update with files, export, import and remove by docker', async () => {
    const { directory } = await writeContext(wanted());
    const who = giveToUidNobody(dockerConfig);
    for (const credential of [ca, renewed])
      for (const file of [credential.certFile, credential.keyFile]) chownSync(file, who.uid, who.gid);
    chownSync(factory.directory, who.uid, who.gid);
    const options = `host=tcp://10.0.0.9:2376,ca=${ca.certFile},cert=${renewed.certFile},key=${renewed.keyFile}`;
    docker(['context', 'update', 'build-1', '--docker', options], who);
    expect(readFileSync(join(directory, 'cert.pem'), 'utf8')).toBe(renewed.cert);
    const file = join(dockerConfig, 'build-1.dockercontext');
    await writeContext(wanted());
    giveToUidNobody(dockerConfig);
    docker(['context', 'export', 'build-1', file], who);
    docker(['context', 'import', 'copy', file], who);
    expect(await readContext(wanted({ name: 'copy' }))).toMatchObject({ cert: client.cert, ours: true });
    docker(['context', 'rm', 'build-1'], who);
    expect(docker(['context', 'ls', '--format', '{{.Name}}'], who).split('\n')).toContain('copy');
    expect(await readContext(wanted())).toBeUndefined();
  });

  it('does not touch a context of another tool unless told to', async () => {
    docker(['context', 'create', 'build-1', '--docker', 'host=tcp://192.0.2.1:2376', '--description', 'theirs']);
    await expect(writeContext(wanted())).rejects.toMatchObject({ code: 'E_CONTEXT_EXISTS', exit: 2 });
    await expect(removeContext(wanted())).rejects.toMatchObject({ code: 'E_CONTEXT_EXISTS' });
    expect(inspect('build-1')).toMatchObject({
      Endpoints: { docker: { Host: 'tcp://192.0.2.1:2376' } },
      TLSMaterial: {},
    });
    await writeContext(wanted({ replace: true }));
    expect(await readContext(wanted())).toMatchObject({
      ours: true,
      description: 'theirs',
      host: 'tcp://10.0.0.7:2376',
    });
  });

  it('says what is damaged', async () => {
    const { directory } = await writeContext(wanted());
    const meta = join(
      dockerConfig,
      'contexts',
      'meta',
      readdirSync(join(dockerConfig, 'contexts', 'meta'))[0] as string,
      'meta.json',
    );
    writeFileSync(meta, '{"Name":"other"');
    await expect(writeContext(wanted())).rejects.toMatchObject({ code: 'E_CONTEXT_DAMAGED', where: meta });
    writeFileSync(meta, '{"Name":"other","Metadata":{"DockerTls":{}}}');
    await expect(removeContext(wanted())).rejects.toMatchObject({ code: 'E_CONTEXT_DAMAGED', where: meta });
    removeSync(directory);
    writeFileSync(directory, 'a file');
    rmSync(meta);
    await expect(writeContext(wanted())).rejects.toMatchObject({ code: 'E_CLIENT_FILES', exit: 2 });
  });

  it.each(['default', 'x', '', '-a', 'a b', 'a/b', '../x', 'a\nb', 'ä1'])(
    'refuses the name %j, as docker does',
    async (name) => {
      await expect(writeContext(wanted({ name }))).rejects.toMatchObject({ code: 'E_CONTEXT_NAME' });
      expect(() => docker(['context', 'create', '--docker', 'host=tcp://192.0.2.1:2376', '--', name])).toThrow();
      expect(readdirSync(dockerConfig).filter((entry) => entry === 'contexts')).toEqual([]);
    },
  );
});

describe('the current context', () => {
  it('is set and taken away with everything else in config.json as it was', async () => {
    const text =
      '{\n    "auths": {"r.example": {"auth": "c2VjcmV0"}},\n    "psFormat": "{{.ID}}",\n    "big": 12345678901234567890\n}\n';
    mkdirSync(join(dockerConfig, 'dotfiles'));
    writeFileSync(join(dockerConfig, 'dotfiles', 'config.json'), text, { mode: 0o640 });
    symlinkSync('dotfiles/config.json', join(dockerConfig, 'config.json'));
    await writeContext(wanted({ use: true }));
    const file = join(dockerConfig, 'dotfiles', 'config.json');
    expect(readFileSync(file, 'utf8')).toBe(text.replace('7890\n}', '7890,\n    "currentContext": "build-1"\n}'));
    expect(modeOf(file)).toBe('640');
    expect(docker(['context', 'show']).trim()).toBe('build-1');
    expect(await currentContext(dockerConfig)).toBe('build-1');
    expect(await removeContext(wanted())).toBe(true);
    expect(readFileSync(file, 'utf8')).toBe(text);
    expect(docker(['context', 'show']).trim()).toBe('default');
  });

  it('comes with a new config.json where there was none', async () => {
    await writeContext(wanted({ use: true }));
    expect(readFileSync(join(dockerConfig, 'config.json'), 'utf8')).toBe('{\n\t"currentContext": "build-1"\n}\n');
    expect(modeOf(join(dockerConfig, 'config.json'))).toBe('600');
  });

  it('goes with its context', async () => {
    await writeContext(wanted({ use: true }));
    expect(await removeContext(wanted())).toBe(true);
    expect(await removeContext(wanted())).toBe(false);
    expect(await currentContext(dockerConfig)).toBeUndefined();
    expect(docker(['context', 'ls', '--format', '{{.Name}}']).trim()).toBe('default');
    expect(readdirSync(join(dockerConfig, 'contexts', 'tls'))).toEqual([]);
  });

  it('is not written into a config.json that cannot be read', async () => {
    writeFileSync(join(dockerConfig, 'config.json'), '{"auths": ');
    await expect(writeContext(wanted({ use: true }))).rejects.toMatchObject({ code: 'E_DOCKER_CONFIG', exit: 2 });
    expect(readFileSync(join(dockerConfig, 'config.json'), 'utf8')).toBe('{"auths": ');
  });
});
