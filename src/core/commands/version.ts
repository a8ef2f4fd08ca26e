/** `version`: version details for a bug report. */

import { defineCommand } from '../../cli/command.ts';

export const command = defineCommand({
  scope: [],
  examples: ['docker-tls version'],
  args: {},
  options: {},
  async run() {
    const version = DOCKER_TLS_VERSION;
    const { version: node, versions, platform, arch } = process;
    return {
      exit: 0,
      result: { version, node, openssl: versions.openssl, platform, arch },
      text: `docker-tls ${version}\nNode.js ${node.slice(1)}, OpenSSL ${versions.openssl}, ${platform} ${arch}`,
    };
  },
});
