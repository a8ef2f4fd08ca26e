/** Configuration text of each tool: one pure function per tool. docs/clients.md has the tested versions. */

import { shellQuote } from '../../../core/domain/quote.ts';
import { ansible, hcl, nomadHcl, property, quoted, readFile, type ToolAccess, toolFiles } from './tool-access.ts';

/** A builder on the host. `docker buildx create` refuses TLS from the environment (docker/buildx#2520), so it gets a context. */
export function renderBuildx({ host, context }: ToolAccess): string {
  const [name, builder] = [shellQuote(context.name), shellQuote(`${context.name}-builder`)];
  return lines(
    `${context.command} &&`,
    `docker buildx create --name ${builder} --driver docker-container ${name}`,
    `# docker buildx build --builder ${builder} --load --tag app .`,
    `# docker buildx rm ${builder}`,
    `# The BuildKit of ${host} itself needs no builder: docker --context ${name} buildx build --tag app .`,
  );
}

/** ~/.testcontainers.properties. The strategy is Java's; Node and .NET read the three others, Python the environment only. */
export function renderTestcontainers({ endpoint, directory }: ToolAccess): string {
  const path = property(directory);
  return lines(
    '# ~/.testcontainers.properties',
    ...(path === directory
      ? []
      : [
          '# The path is escaped as Java reads it: Node and .NET take it as it is, so they need DOCKER_CERT_PATH instead.',
        ]),
    'docker.client.strategy=org.testcontainers.dockerclient.EnvironmentAndSystemPropertyClientProviderStrategy',
    `docker.host=${property(endpoint)}`,
    'docker.tls.verify=1',
    `docker.cert.path=${path}`,
  );
}

/** docker-java.properties, on the class path or in the home directory. */
export function renderDockerJava({ endpoint, directory }: ToolAccess): string {
  return lines(
    '# docker-java.properties, on the class path, or ~/.docker-java.properties',
    `DOCKER_HOST=${property(endpoint)}`,
    'DOCKER_TLS_VERIFY=1',
    `DOCKER_CERT_PATH=${property(directory)}`,
  );
}

/** The docker executor of GitLab Runner. */
export function renderGitlabRunner({ endpoint, directory }: ToolAccess): string {
  return lines(
    '# /etc/gitlab-runner/config.toml: these three lines below the [runners.docker] of a runner with executor = "docker"',
    '  [runners.docker]',
    `    host = ${quoted(endpoint)}`,
    '    tls_verify = true',
    `    tls_cert_path = ${quoted(directory)}`,
  );
}

/** Jenkins' docker-plugin, by configuration as code: one X.509 client certificate, and a cloud for each host. */
export function renderJenkins(all: readonly [ToolAccess, ...ToolAccess[]]): string {
  const [first] = all;
  const { ca, cert, key } = toolFiles(first);
  const id = `docker-tls-${first.client}`;
  return lines(
    "# Configuration as code reads the three files as the controller's user, when it is loaded.",
    'credentials:',
    '  system:',
    '    domainCredentials:',
    '      - credentials:',
    '          - x509ClientCert:',
    '              scope: SYSTEM',
    `              id: ${quoted(id)}`,
    `              description: ${quoted(`docker-tls client ${first.client}`)}`,
    `              clientKeySecret: ${readFile(key)}`,
    `              clientCertificate: ${readFile(cert)}`,
    `              serverCaCertificate: ${readFile(ca)}`,
    'jenkins:',
    '  clouds:',
    ...all.flatMap(({ host, endpoint }) => [
      '    - docker:',
      `        name: ${quoted(host)}`,
      '        dockerApi:',
      '          dockerHost:',
      `            uri: ${quoted(endpoint)}`,
      `            credentialsId: ${quoted(id)}`,
    ]),
  );
}

/** The provider kreuzwerker/docker. */
export function renderTerraform({ endpoint, directory }: ToolAccess): string {
  return lines('provider "docker" {', `  host      = ${hcl(endpoint)}`, `  cert_path = ${hcl(directory)}`, '}');
}

/** Variables for the modules of community.docker (3.6.0 or later: the names changed). */
export function renderAnsible(access: ToolAccess): string {
  return lines(
    '# Variables; a play uses them with:',
    '#   module_defaults:',
    '#     group/community.docker.docker: "{{ docker_tls }}"',
    'docker_tls:',
    ...ansibleVariables(access, '  '),
  );
}

/** A YAML inventory of every host: plays run locally, and the modules of community.docker connect to each daemon. */
export function renderAnsibleInventory(all: readonly [ToolAccess, ...ToolAccess[]]): string {
  return lines(
    '# inventory.yml; a play over the group docker_tls uses it with:',
    '#   module_defaults:',
    '#     group/community.docker.docker: "{{ docker_tls }}"',
    'docker_tls:',
    '  vars:',
    '    ansible_connection: local',
    '    ansible_python_interpreter: "{{ ansible_playbook_python }}"',
    '  hosts:',
    ...all.flatMap((access) => [
      `    ${quoted(access.host)}:`,
      '      docker_tls:',
      ...ansibleVariables(access, '        '),
    ]),
  );
}

function ansibleVariables(access: ToolAccess, indent: string): string[] {
  const { ca, cert, key } = toolFiles(access);
  return [
    `docker_host: ${ansible(access.endpoint)}`,
    'tls: true',
    'validate_certs: true',
    `ca_path: ${ansible(ca)}`,
    `client_cert: ${ansible(cert)}`,
    `client_key: ${ansible(key)}`,
  ].map((line) => `${indent}${line}`);
}

/** Containers of the hosts as targets. With tcp:// Prometheus ignores tls_config (discovery/moby/docker.go), hence https://. */
export function renderPrometheus(all: readonly [ToolAccess, ...ToolAccess[]]): string {
  return lines(
    '# prometheus.yml',
    'scrape_configs:',
    ...all.flatMap((access) => {
      const { ca, cert, key } = toolFiles(access);
      return [
        `  - job_name: ${quoted(`docker-${access.host}`)}`,
        '    docker_sd_configs:',
        `      - host: ${quoted(access.endpoint.replace(/^tcp:/, 'https:'))}`,
        '        tls_config:',
        `          ca_file: ${quoted(ca)}`,
        `          cert_file: ${quoted(cert)}`,
        `          key_file: ${quoted(key)}`,
      ];
    }),
  );
}

/** Traefik's static configuration; it supports one Docker host. */
export function renderTraefik(access: ToolAccess): string {
  const { ca, cert, key } = toolFiles(access);
  return lines(
    '# traefik.yml (static configuration; one Docker host for each Traefik)',
    'providers:',
    '  docker:',
    `    endpoint: ${quoted(access.endpoint)}`,
    '    tls:',
    `      ca: ${quoted(ca)}`,
    `      cert: ${quoted(cert)}`,
    `      key: ${quoted(key)}`,
  );
}

/**
 * Portainer's API: creates an environment, or replaces the certificates of an existing one. Portainer's pages cannot do that
 * (portainer#10166).
 */
export function renderPortainer(access: ToolAccess): string {
  const { ca, cert, key } = toolFiles(access);
  const file = (name: string, path: string): string =>
    `-F ${shellQuote(`${name}=@"${path.replace(/[\\"]/g, '\\$&')}"`)}`;
  const curl = 'curl --fail-with-body --header @portainer-token';
  return lines(
    '# A new environment:                          sh portainer.sh add',
    '# New certificates for one that is there:      sh portainer.sh renew NUMBER   (NUMBER: in the address of its page)',
    '# The file portainer-token (mode 0600) holds:  X-API-Key: YOUR-ACCESS-TOKEN',
    'set -eu',
    `portainer=\${PORTAINER:-https://portainer.example.org}`,
    `case \${1-} in`,
    'add)',
    `  ${curl} -F ${shellQuote(`Name=${access.host}`)} -F EndpointCreationType=1 -F ${shellQuote(`URL=${access.endpoint}`)} \\`,
    '    -F TLS=true -F TLSSkipVerify=false -F TLSSkipClientVerify=false \\',
    `    ${file('TLSCACertFile', ca)} ${file('TLSCertFile', cert)} ${file('TLSKeyFile', key)} \\`,
    '    "$portainer/api/endpoints"',
    '  ;;',
    'renew)',
    '  environment=$2',
    ...[
      ['ca', ca],
      ['cert', cert],
      ['key', key],
    ].map(
      ([name = '', path = '']) =>
        `  ${curl} -F folder="$environment" ${file('file', path)} "$portainer/api/upload/tls/${name}"`,
    ),
    `  ${curl} -X PUT --json '{"TLS":true,"TLSSkipVerify":false,"TLSSkipClientVerify":false}' \\`,
    '    "$portainer/api/endpoints/$environment"',
    '  ;;',
    '*) echo "usage: sh portainer.sh add | renew NUMBER" >&2 && exit 2 ;;',
    'esac',
  );
}

/** The docker driver of a Nomad client. */
export function renderNomad(access: ToolAccess): string {
  const { ca, cert, key } = toolFiles(access);
  return lines(
    '# Configuration of the Nomad client agent',
    'plugin "docker" {',
    '  config {',
    `    endpoint = ${nomadHcl(access.endpoint)}`,
    '    tls {',
    `      ca   = ${nomadHcl(ca)}`,
    `      cert = ${nomadHcl(cert)}`,
    `      key  = ${nomadHcl(key)}`,
    '    }',
    '  }',
    '}',
  );
}

/** A connection of Podman 5.7 or later to a host with Podman's API service. */
export function renderPodman(access: ToolAccess): string {
  const { ca, cert, key } = toolFiles(access);
  const flags = `--tls-ca ${shellQuote(ca)} --tls-cert ${shellQuote(cert)} --tls-key ${shellQuote(key)}`;
  return lines(
    "# Podman 5.7 or later. The host has to serve Podman's API: dockerd does not.",
    `podman system connection add ${flags} ${shellQuote(access.host)} ${shellQuote(access.endpoint)}`,
  );
}

/** settings.json of VS Code with the extension Container Tools. */
export function renderVscode({ endpoint, directory }: ToolAccess): string {
  const environment = { DOCKER_HOST: endpoint, DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: directory };
  return `${JSON.stringify({ 'containers.environment': environment }, null, 2)}\n`;
}

/** A Compose service: Dozzle looks for the three files in /certs (internal/container/host.go). Compose takes `$` for a variable. */
export function renderDozzle(all: readonly [ToolAccess, ...ToolAccess[]]): string {
  const remote = all.map(({ endpoint, host }) => `${endpoint}|${host}`).join(',');
  return lines(
    '# compose.yaml',
    'services:',
    '  dozzle:',
    '    image: amir20/dozzle',
    '    environment:',
    `      DOZZLE_REMOTE_HOST: ${quoted(remote)}`,
    '    volumes:',
    '      - type: bind',
    `        source: ${quoted(all[0].directory.replaceAll('$', '$$$$'))}`,
    '        target: /certs',
    '        read_only: true',
    '    ports: ["127.0.0.1:8080:8080"]',
  );
}

/** Uptime Kuma reads the three files from a directory named like the host in its data (server/docker.js), at each request. */
export function renderUptimeKuma(access: ToolAccess): string {
  const { ca, cert, key } = toolFiles(access);
  const url = access.endpoint.replace(/^tcp:/, 'https:');
  const directory = `"$data"/docker-tls/${shellQuote(new URL(url).hostname)}`;
  return lines(
    `# Where the data directory of Uptime Kuma is, as its user. In its settings, add a Docker host of type TCP / HTTP: ${url}`,
    'set -eu',
    `data=\${UPTIME_KUMA_DATA:-./data}`,
    `install -d -m 700 ${directory}`,
    `install -m 400 ${[ca, cert, key].map(shellQuote).join(' ')} ${directory}`,
  );
}

function lines(...all: readonly string[]): string {
  return `${all.join('\n')}\n`;
}
