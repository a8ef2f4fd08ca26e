/** The login user's own daemon, on a host that may be new. */

import { destinationWords } from '../../../core/domain/destination.ts';
import { shellQuote } from '../../../core/domain/quote.ts';
import type { SshSpec } from '../../../core/domain/settings.ts';
import type { HostSession } from '../../../core/runtime.ts';

/** Shell test: the login user's rootless daemon is active or enabled. */
const OWN_DOCKER =
  'export XDG_RUNTIME_DIR="/run/user/$(id -u)"; { systemctl --user -q is-active docker.service || systemctl --user -q is-enabled docker.service; } 2>/dev/null';

/** Whether it runs, and no other daemon does. */
export async function isAlone(session: HostSession, signal: AbortSignal): Promise<boolean> {
  const script = [
    'export XDG_RUNTIME_DIR="/run/user/$(id -u)"',
    // Without lingering it starts only with this login.
    'case $(systemctl --user is-active docker.service) in active | activating) ;; *)',
    // A stopped daemon counts if its user has enabled it and root has not enabled the system's.
    'systemctl --user -q is-enabled docker.service 2>/dev/null && ! systemctl -q is-enabled docker.service docker.socket 2>/dev/null ;; esac &&',
    '! systemctl -q is-active docker.service docker.socket && echo own',
  ].join('\n');
  const { stdout } = await session.run({ phase: 'find', script, asRoot: false, timeoutMs: 20_000, signal });
  return stdout.toString('utf8') === 'own\n';
}

/** Hints for a login that cannot become root; empty if its user has no such daemon. Never fails. */
export async function ownHints(session: HostSession, ssh: SshSpec): Promise<readonly string[]> {
  const request = { phase: 'find', script: `${OWN_DOCKER} && echo own`, asRoot: false, timeoutMs: 20_000 };
  const found = await session.run(request).catch(() => undefined);
  if (found?.stdout.toString('utf8') !== 'own\n') return [];
  const destination = destinationWords({ ...ssh, user: session.user });
  return [`for the rootless Docker of ${session.user}: docker-tls setup ${shellQuote(destination)} --rootless`];
}
