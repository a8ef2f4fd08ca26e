/** `version`: version details for a bug report, and whether there is a newer one. */

import { defineCommand } from '../../cli/command.ts';
import { newerVersion, RELEASES } from '../actions/newer-version.ts';

export const command = defineCommand({
  scope: [],
  about: `docker-tls never looks for updates by itself. --check asks ${RELEASES}, sends nothing about this computer, and exits with 3 if there is a newer version.`,
  examples: ['docker-tls version', 'docker-tls version --check'],
  args: {},
  options: { check: { kind: 'flag', summary: 'ask GitHub for the newest version (exit 3: there is a newer one)' } },
  async run({ options, runtime }) {
    const version = DOCKER_TLS_VERSION;
    const { version: node, versions, platform, arch } = process;
    const found = options.check ? await newerVersion(version, RELEASES, runtime.signal) : undefined;
    const own = `docker-tls ${version}\nNode.js ${node.slice(1)}, OpenSSL ${versions.openssl}, ${platform} ${arch}`;
    const news = found?.outdated
      ? `Version ${found.newest} is out: https://github.com/docker-tls/docker-tls/releases`
      : 'This is the newest version.';
    return {
      exit: found?.outdated ? 3 : 0,
      result: { version, node, openssl: versions.openssl, platform, arch, newest: found?.newest },
      text: found === undefined ? own : `${own}\n${news}`,
    };
  },
});
