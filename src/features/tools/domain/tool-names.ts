/** Names of tools: configuration file in an archive, and steps after a renewal. */

import type { ToolFormat } from '../../../core/seams/formats.ts';

const TABLE = {
  buildx: { file: 'buildx.sh' },
  testcontainers: { file: 'testcontainers.properties' },
  'gitlab-runner': { file: 'config.toml' },
  'jenkins-casc': { file: 'docker.yaml', afterRenewal: 'reload the configuration as code' },
  terraform: { file: 'docker.tf' },
  ansible: { file: 'docker.yml' },
  'ansible-inventory': { file: 'inventory.yml' },
  prometheus: { file: 'prometheus.yml' },
  traefik: { file: 'traefik.yml', afterRenewal: 'restart Traefik' },
  portainer: { file: 'portainer.sh', afterRenewal: 'sh portainer.sh renew NUMBER' },
  nomad: { file: 'nomad.hcl', afterRenewal: 'restart the Nomad agent' },
  podman: { file: 'podman.sh' },
  'docker-java': { file: 'docker-java.properties' },
  vscode: { file: 'settings.json' },
  dozzle: { file: 'compose.yaml', afterRenewal: 'restart Dozzle' },
  'uptime-kuma': { file: 'uptime-kuma.sh', afterRenewal: 'sh uptime-kuma.sh' },
} satisfies Readonly<Record<string, Omit<ToolFormat, 'name' | 'load'>>>;

export type ToolName = keyof typeof TABLE;
export const TOOLS: Readonly<Record<ToolName, Omit<ToolFormat, 'name' | 'load'>>> = TABLE;
export const TOOL_NAMES = Object.keys(TABLE) as readonly ToolName[];
