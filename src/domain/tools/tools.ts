/** The table of tools: how each is configured, whether it takes several hosts, and what it needs after a renewal. Pure. */

import { DockerTlsError } from '../../errors/errors.ts';
import { hasControls } from '../quote.ts';
import { type Access, decomposed, unreadable } from './access.ts';
import * as text from './render.ts';

type Tool = {
  /** The file of this text in an archive. */
  readonly file: string;
  /** What brings a renewed client into effect, where the tool keeps its own copy or reads the files only once. */
  readonly afterRenewal?: string;
  /** What its language cannot write, in words; undefined where it can. */
  unwritable?(value: string): string | undefined;
} & /** With `several` the text is about all hosts of a client where none is named. */ (
  | { readonly several: true; render(all: readonly [Access, ...Access[]]): string }
  | { readonly several?: undefined; render(access: Access): string }
);

const TABLE = {
  buildx: { file: 'buildx.sh', render: text.renderBuildx },
  testcontainers: { file: 'testcontainers.properties', render: text.renderTestcontainers },
  'gitlab-runner': { file: 'config.toml', render: text.renderGitlabRunner },
  'jenkins-casc': {
    file: 'docker.yaml',
    several: true,
    render: text.renderJenkins,
    afterRenewal: 'reload the configuration as code',
    unwritable: unreadable,
  },
  terraform: { file: 'docker.tf', render: text.renderTerraform, unwritable: decomposed },
  ansible: { file: 'docker.yml', render: text.renderAnsible },
  'ansible-inventory': { file: 'inventory.yml', several: true, render: text.renderAnsibleInventory },
  prometheus: { file: 'prometheus.yml', several: true, render: text.renderPrometheus },
  traefik: { file: 'traefik.yml', render: text.renderTraefik, afterRenewal: 'restart Traefik' },
  portainer: { file: 'portainer.sh', render: text.renderPortainer, afterRenewal: 'sh portainer.sh renew NUMBER' },
  nomad: {
    file: 'nomad.hcl',
    render: text.renderNomad,
    afterRenewal: 'restart the Nomad agent',
    unwritable: decomposed,
  },
  podman: { file: 'podman.sh', render: text.renderPodman },
  'docker-java': { file: 'docker-java.properties', render: text.renderDockerJava },
  vscode: { file: 'settings.json', render: text.renderVscode },
} satisfies Readonly<Record<string, Tool>>;

export type ToolName = keyof typeof TABLE;
export const TOOL_TABLE: Readonly<Record<ToolName, Tool>> = TABLE;
export const TOOLS = Object.keys(TABLE) as readonly ToolName[];

export function isTool(format: string): format is ToolName {
  return Object.hasOwn(TABLE, format);
}

/** The tool's text; ends in a newline. `naming`: the command that names one host. Fails with E_ENV_VALUE (exit 2) for control characters, and E_HOST_AMBIGUOUS for several hosts where it takes one. */
export function renderTool(
  tool: ToolName,
  all: readonly [Access, ...Access[]],
  naming: (host: string) => string,
): string {
  const entry = TOOL_TABLE[tool];
  const values = all.flatMap(({ host, endpoint, client, directory }) => [host, endpoint, client, directory]);
  for (const value of values) {
    const found = hasControls(value) ? 'a newline or another control character' : entry.unwritable?.(value);
    if (found === undefined) continue;
    const message = `a path or name holds ${found}; it cannot be written for ${tool}`;
    throw new DockerTlsError('E_ENV_VALUE', message, {
      hints: ['choose a --home directory without it, or with client export another --directory'],
    });
  }
  if (entry.several) return entry.render(all);
  if (all.length === 1) return entry.render(all[0]);
  throw new DockerTlsError('E_HOST_AMBIGUOUS', `${tool} takes one host; there are ${all.length}`, {
    hints: all.slice(0, 5).map(({ host }) => naming(host)),
  });
}
