/** Table of tools: configuration, and support for several hosts. Pure. */

import { hasControls } from '../../../core/domain/quote.ts';
import { offeredCommands } from '../../../core/seams/offered-commands.ts';
import { DockerTlsError } from '../../../errors/errors.ts';
import * as text from './render.ts';
import { decomposed, type ToolAccess, unquotable } from './tool-access.ts';
import type { ToolName } from './tool-names.ts';

type Tool = {
  /** Reason why its language cannot express the value, as text; undefined if it can. */
  unwritable?(value: string): string | undefined;
} & /** With `several` the text is about all hosts of a client where none is named. */ (
  | { readonly several: true; render(all: readonly [ToolAccess, ...ToolAccess[]]): string }
  | { readonly several?: undefined; render(access: ToolAccess): string }
);

export const TOOL_TABLE: Readonly<Record<ToolName, Tool>> = {
  buildx: { render: text.renderBuildx },
  testcontainers: { render: text.renderTestcontainers },
  'gitlab-runner': { render: text.renderGitlabRunner },
  'jenkins-casc': { several: true, render: text.renderJenkins, unwritable: unquotable },
  terraform: { render: text.renderTerraform, unwritable: decomposed },
  ansible: { render: text.renderAnsible },
  'ansible-inventory': { several: true, render: text.renderAnsibleInventory },
  prometheus: { several: true, render: text.renderPrometheus },
  traefik: { render: text.renderTraefik },
  portainer: { render: text.renderPortainer },
  nomad: { render: text.renderNomad, unwritable: decomposed },
  podman: { render: text.renderPodman },
  'docker-java': { render: text.renderDockerJava },
  vscode: { render: text.renderVscode },
  dozzle: { several: true, render: text.renderDozzle },
  'uptime-kuma': { render: text.renderUptimeKuma },
};

/**
 * The tool's text with a final newline. `naming`: the command that names one host. Fails with E_ENV_VALUE (exit 2) for control characters,
 * and E_HOST_AMBIGUOUS for several hosts if the tool supports one.
 */
export function renderTool(
  tool: ToolName,
  all: readonly [ToolAccess, ...ToolAccess[]],
  naming: (host: string) => string,
): string {
  const entry = TOOL_TABLE[tool];
  const values = all.flatMap(({ host, endpoint, client, directory }) => [host, endpoint, client, directory]);
  for (const value of values) {
    const found = hasControls(value) ? 'a newline or another control character' : entry.unwritable?.(value);
    if (found === undefined) continue;
    const elsewhere = offeredCommands('export').length > 0 ? ['or with client export another --directory'] : [];
    const message = `a path or name holds ${found}; it cannot be written for ${tool}`;
    throw new DockerTlsError('E_ENV_VALUE', message, {
      hints: [['choose a --home directory without it', ...elsewhere].join(', ')],
    });
  }
  if (entry.several) return entry.render(all);
  if (all.length === 1) return entry.render(all[0]);
  throw new DockerTlsError('E_HOST_AMBIGUOUS', `${tool} takes one host; there are ${all.length}`, {
    hints: all.slice(0, 5).map(({ host }) => naming(host)),
  });
}
