/** What each tool is given: test/golden/tools holds the texts, for a plain host and for names and paths that each language has to escape. */

import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { type Access, contextCommand } from '../../src/domain/tools/access.ts';
import { renderTool, TOOLS, takesSeveral } from '../../src/domain/tools/tools.ts';

const plain: Access = {
  host: 'build-1',
  endpoint: 'tcp://10.0.0.7:2376',
  client: 'ci',
  directory: '/home/ada/.docker/tls/clients/ci',
  context: { name: 'build-1', command: 'docker-tls context build-1 --client ci' },
};
const six: Access = {
  ...plain,
  host: 'build-6',
  endpoint: 'tcp://[fd00::7]:2376',
  context: { name: 'build-6', command: 'docker-tls context build-6 --client ci' },
};
const directory = `/home/o'brien/50% "off" \${x} %{y} {{z}} é, a=b\\c`;
const awkward: Access = { ...plain, directory };
const naming = (host: string): string => `docker-tls env ${host}`;

describe.each(TOOLS)('%s', (tool) => {
  test('a plain host, and several where it takes them', async () => {
    const all = takesSeveral(tool) ? ([plain, six] as const) : ([plain] as const);
    await expect(renderTool(tool, all, naming)).toMatchFileSnapshot(`tools/${tool}.txt`);
  });

  test('a path that has to be escaped', async () => {
    await expect(renderTool(tool, [awkward], naming)).toMatchFileSnapshot(`tools/${tool}-escaped.txt`);
  });

  test('a newline is refused, and several hosts where it takes one', () => {
    const broken = { ...plain, directory: '/a\nb' };
    expect(() => renderTool(tool, [broken], naming)).toThrow(/cannot be written for/);
    const both = () => renderTool(tool, [plain, six], naming);
    if (takesSeveral(tool)) expect(both()).toContain('fd00::7');
    else
      expect(both).toThrow(
        expect.objectContaining({ code: 'E_HOST_AMBIGUOUS', hints: [naming('build-1'), naming('build-6')] }),
      );
  });
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
  // Each program prints its words, one a line.
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
