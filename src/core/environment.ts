/** The environment of this process, and what child processes get of it. */

/** The environment as it was given to us. What it holds that is secret is ours to read, and no child process gets it. */
export function takeEnvironment(): Readonly<Record<string, string | undefined>> {
  const env = { ...process.env };
  keepFromChildren('DOCKER_TLS_CA_PASSPHRASE');
  return env;
}

/** Takes a variable out of the environment that child processes inherit. */
export function keepFromChildren(name: string): void {
  delete process.env[name];
}
