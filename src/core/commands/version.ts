/** `version`: version details for a bug report. */

import { type CommandResult, defineCommand } from '../../cli/command.ts';

export type VersionDocument = {
  readonly version: string;
  /** Node.js' version, operating system and processor. */
  readonly node: string;
  readonly platform: string;
  readonly arch: string;
};

export function versionDocument(): VersionDocument {
  const { version: node, platform, arch } = process;
  return { version: DOCKER_TLS_VERSION, node, platform, arch };
}

export const command = defineCommand({
  scope: [],
  examples: ['docker-tls version'],
  args: {},
  options: {},
  async run(): Promise<CommandResult<VersionDocument>> {
    const result = versionDocument();
    const { version, node, platform, arch } = result;
    return {
      exit: 0,
      result,
      text: `docker-tls ${version}\nNode.js ${node.slice(1)}, ${platform} ${arch}`,
    };
  },
});
