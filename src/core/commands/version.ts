/** `version`: version details for a bug report, and whether there is a newer one. */

import { type CommandResult, defineCommand } from '../../cli/command.ts';
import { RELEASES } from '../seams/releases.ts';
import { offered, offeredLines } from '../seams/seam.ts';

const [releases] = RELEASES.all;

export type VersionDocument = {
  readonly version: string;
  /** Versions of Node.js and its OpenSSL, the operating system and the processor. */
  readonly node: string;
  readonly openssl: string;
  readonly platform: string;
  readonly arch: string;
  /** With --check: the newest version. */
  readonly newest?: string;
};

export function versionDocument(): VersionDocument {
  const { version: node, versions, platform, arch } = process;
  return { version: DOCKER_TLS_VERSION, node, openssl: versions.openssl, platform, arch };
}

export const command = defineCommand({
  scope: [],
  about: [
    'docker-tls never looks for updates unasked.',
    ...offeredLines(
      RELEASES,
      `--check asks ${releases?.url}, sends nothing about this computer, and exits with 3 if there is a newer version.`,
    ),
  ].join(' '),
  examples: ['docker-tls version', ...offeredLines(RELEASES, 'docker-tls version --check')],
  args: {},
  options: offered(RELEASES, {
    check: { kind: 'flag', summary: 'ask GitHub for the newest version (exit 3: there is a newer one)' },
  }),
  async run({ options, runtime }): Promise<CommandResult<VersionDocument>> {
    const document = versionDocument();
    const { version, node, openssl, platform, arch } = document;
    const found = options.check ? await releases?.newestVersion(version, runtime.signal) : undefined;
    const own = `docker-tls ${version}\nNode.js ${node.slice(1)}, OpenSSL ${openssl}, ${platform} ${arch}`;
    const news = found?.outdated
      ? `Version ${found.newest} is out: https://github.com/docker-tls/docker-tls/releases`
      : 'This is the newest version.';
    return {
      exit: found?.outdated ? 3 : 0,
      result: { ...document, newest: found?.newest },
      text: found === undefined ? own : `${own}\n${news}`,
    };
  },
});
