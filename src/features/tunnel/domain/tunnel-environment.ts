/** The environment of a command that uses a tunnel. Pure. */

/** Variables that would make docker bypass a tunnel, and the secret that no child process gets. */
const NOT_FOR_COMMAND = [
  'DOCKER_TLS_VERIFY',
  'DOCKER_TLS',
  'DOCKER_CERT_PATH',
  'DOCKER_CONTEXT',
  'DOCKER_TLS_CA_PASSPHRASE',
];

/** Environment of a command that uses a tunnel: a socket without TLS variables, a port with the client's files in `directory`. */
export function throughTunnel(
  env: Readonly<Record<string, string | undefined>>,
  endpoint: string,
  directory: string,
): Record<string, string | undefined> {
  const own = Object.entries(env).filter(([name]) => !NOT_FOR_COMMAND.includes(name));
  const tls = endpoint.startsWith('unix:')
    ? []
    : Object.entries({ DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: directory });
  return Object.fromEntries([...own, ...tls, ['DOCKER_HOST', endpoint]]);
}
