/** Owns what of Podman prevents a change: a version without TLS, a service of ours that is masked or was edited, more than one address. */

import type { DockerTlsError } from '../../errors/errors.ts';
import { installDockerHints } from '../dockerd/packages.ts';
import { servesTls } from '../dockerd/podman-units.ts';
import { shellQuote, sudoCommand } from '../quote.ts';
import { fileText } from './facts.ts';
import type { PreflightInput } from './preflight.ts';
import { collect } from './preflight-config.ts';
import { checkSystemd, checkUnread } from './preflight-unit.ts';

export function checkPodmanVersion(input: PreflightInput): DockerTlsError[] {
  const { host, login, facts } = input;
  const { found, add } = collect(host);
  const { version } = facts.docker;
  if (!servesTls(version))
    add('E_PODMAN_OLD', `Podman ${version} cannot ask clients for a certificate; 5.7 is the first that can`, [
      'install a newer Podman there, or Docker:',
      ...installDockerHints(login, facts.distribution),
      `or go through ssh: docker context create ${shellQuote(host)} --docker host=ssh://${login.destination}`,
    ]);
  return [...checkSystemd(input), ...found];
}

export function checkPodman(input: PreflightInput): DockerTlsError[] {
  const { host, login, facts, plan } = input;
  const { found, add } = collect(host);
  const path = facts.places.socket;
  const socket = plan?.files.find((change) => change.path === path)?.after ?? fileText(facts, path) ?? '';
  if ((socket.match(/^ListenStream=/gm) ?? []).length > 1)
    add('E_PODMAN_LISTEN', 'Podman listens on one address, and more are wanted', [
      'name one with --listen, or none for all of the host',
      `see those that it has: ${sudoCommand(login, 'ip', '-brief', 'address')}`,
    ]);
  return [...checkUnread(input), ...found];
}
