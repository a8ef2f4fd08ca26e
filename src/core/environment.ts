/** The environment of this process and of its child processes. */

/** A copy of the environment as we got it. Our secret in it is removed from process.env, so that no child process inherits it. */
export function takeEnvironment(): Readonly<Record<string, string | undefined>> {
  const env = { ...process.env };
  keepFromChildren('DOCKER_TLS_CA_PASSPHRASE');
  return env;
}

/** Removes a variable from the environment that child processes inherit. */
export function keepFromChildren(name: string): void {
  delete process.env[name];
}
