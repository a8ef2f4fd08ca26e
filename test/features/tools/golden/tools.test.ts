/**
 * Golden texts for each tool (test/features/tools/golden/tools), for a plain host and for names and paths that each language must escape.
 */

import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { contextCommand, type ToolAccess } from '../../../../src/features/tools/domain/tool-access.ts';
import { TOOL_NAMES, type ToolName } from '../../../../src/features/tools/domain/tool-names.ts';
import { renderTool, TOOL_TABLE } from '../../../../src/features/tools/domain/tools.ts';

const plain: ToolAccess = {
  host: 'build-1',
  endpoint: 'tcp://10.0.0.7:2376',
  client: 'ci',
  directory: '/home/ada/.docker/tls/clients/ci',
  context: { name: 'build-1', command: 'docker-tls context build-1 --client ci' },
};
const six: ToolAccess = {
  ...plain,
  host: 'build-6',
  endpoint: 'tcp://[fd00::7]:2376',
  context: { name: 'build-6', command: 'docker-tls context build-6 --client ci' },
};
const directory = `/home/o'brien/50% "off" \${x} %{y} {{z}} é, a=b\\c`;
const awkward: ToolAccess = { ...plain, directory };
/** Names that Jenkins allows: its variables escape nothing. */
const awkwardTo = (tool: ToolName): ToolAccess =>
  tool === 'jenkins-casc' ? { ...plain, directory: `/home/o'brien/50% "off" é, ^a=b\\c` } : awkward;
const naming = (host: string): string => `docker-tls env ${host}`;

describe.each(TOOL_NAMES)('%s', (tool) => {
  test('a plain host, and several where it takes them', async () => {
    const all = TOOL_TABLE[tool].several ? ([plain, six] as const) : ([plain] as const);
    await expect(renderTool(tool, all, naming)).toMatchFileSnapshot(`tools/${tool}.txt`);
  });

  test('a path that has to be escaped', async () => {
    await expect(renderTool(tool, [awkwardTo(tool)], naming)).toMatchFileSnapshot(`tools/${tool}-escaped.txt`);
  });

  test('a newline is refused, and several hosts where it takes one', () => {
    const broken = { ...plain, directory: '/a\nb' };
    expect(() => renderTool(tool, [broken], naming)).toThrow(expect.toSay('cannot-written'));
    const both = () => renderTool(tool, [plain, six], naming);
    if (TOOL_TABLE[tool].several) expect(both()).toContain('fd00::7');
    else
      expect(both).toThrow(
        expect.objectContaining({ code: 'E_HOST_AMBIGUOUS', hints: [naming('build-1'), naming('build-6')] }),
      );
  });
});

test.each([
  ['jenkins-casc', ['/a}b', '/a:-b', '/${a']],
  ['terraform', ['/e\u0301']],
  ['nomad', ['/e\u0301']],
] as const)('%s: a path that its language cannot write is refused', (tool, paths) => {
  for (const path of paths) {
    const refused = () => renderTool(tool, [{ ...plain, directory: path }], naming);
    expect(refused).toThrow(expect.objectContaining({ code: 'E_ENV_VALUE' }));
    // Only in this configuration.
    expect(renderTool('traefik', [{ ...plain, directory: path }], naming)).toContain(path);
  }
});

test('letters that YAML does not take as they are', () => {
  const strange = '/\u0080\u009f\ufffe';
  const text = renderTool('traefik', [{ ...plain, directory: strange }], naming);
  expect(text).toContain('/\\u0080\\u009f\\ufffe/ca.pem');
  expect(parse(text).providers.docker.tls.ca).toBe(`${strange}/ca.pem`);
});

test('HCL 1 of Nomad never sees a template, HCL 2 behind it the escape of one', () => {
  const text = renderTool('nomad', [{ ...plain, directory: '/${"a' }], naming);
  expect(text).toContain('ca   = "/$$\\u007b\\"a/ca.pem"');
});

test('TOML gives the path back as it was', () => {
  const text = renderTool('gitlab-runner', [awkward], naming);
  const read = 'import json, sys, tomllib; print(json.dumps(tomllib.loads(sys.stdin.read())))';
  const options = { input: text, encoding: 'utf8', env: { ...process.env, PYTHONUTF8: '1' } } as const;
  const { docker } = JSON.parse(execFileSync('/usr/bin/python3', ['-c', read], options)).runners;
  expect(docker).toEqual({ host: plain.endpoint, tls_verify: true, tls_cert_path: directory });
});

test('a path that Java reads escaped is said to be for Java', () => {
  const remark = expect.toSay('for-java', 'Node and .NET');
  expect(renderTool('testcontainers', [plain], naming)).not.toEqual(remark);
  expect(renderTool('testcontainers', [{ ...plain, directory: '/home/josé' }], naming)).toEqual(remark);
});

const file = (name: string): string => `${directory}/${name}`;
const unsafe = { customTags: [{ tag: '!unsafe', resolve: (text: string) => text }] };

test('YAML gives the path back as it was', () => {
  const tls = { ca_file: file('ca.pem'), cert_file: file('cert.pem'), key_file: file('key.pem') };
  const [job] = parse(renderTool('prometheus', [awkward], naming)).scrape_configs;
  expect(job.docker_sd_configs[0]).toEqual({ host: 'https://10.0.0.7:2376', tls_config: tls });
  const traefik = parse(renderTool('traefik', [awkward], naming)).providers.docker;
  expect(traefik.tls).toEqual({ ca: file('ca.pem'), cert: file('cert.pem'), key: file('key.pem') });
  const variables = parse(renderTool('ansible', [awkward], naming), unsafe).docker_tls;
  expect(variables).toMatchObject({ docker_host: plain.endpoint, client_key: file('key.pem'), validate_certs: true });
  const inventory = parse(renderTool('ansible-inventory', [awkward, six], naming), unsafe).docker_tls;
  expect(inventory.hosts['build-1'].docker_tls).toEqual(variables);
  expect(Object.keys(inventory.hosts)).toEqual(['build-1', 'build-6']);
});

test('a shell gives the path back as it was', () => {
  // Each program prints its arguments, one per line.
  const words = (script: string, argv: readonly string[] = []): string[] =>
    execFileSync(
      'sh',
      [
        '-c',
        `curl() { printf '%s\\n' "$@"; }; podman() { curl "$@"; }; docker() { curl "$@"; }\n${script}`,
        'sh',
        ...argv,
      ],
      { encoding: 'utf8' },
    ).split('\n');
  expect(words(renderTool('podman', [awkward], naming))).toContain(file('key.pem'));
  const quotedFile = `"${file('key.pem').replace(/[\\"]/g, '\\$&')}"`;
  const portainer = renderTool('portainer', [awkward], naming);
  expect(words(portainer, ['add'])).toContain(`TLSKeyFile=@${quotedFile}`);
  const renewed = words(portainer, ['renew', '7']);
  expect(renewed).toContain(`file=@${quotedFile}`);
  expect(renewed).toContain('https://portainer.example.org/api/endpoints/7');
  const created = words(contextCommand(awkward, 'build-1'));
  expect(created).toContain('build-1');
  expect(created.at(-2)).toBe(
    [
      'host=tcp://10.0.0.7:2376',
      ...['ca', 'cert', 'key'].map((name) => `"${name}=${file(`${name}.pem`).replaceAll('"', '""')}"`),
    ].join(','),
  );
});
