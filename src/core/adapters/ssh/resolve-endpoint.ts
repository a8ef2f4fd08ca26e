/** The endpoint of a connection: the options over OpenSSH's defaults; a feature adds what a configuration of ssh has. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DockerTlsError } from '../../../errors/errors.ts';
import type { SshOptions } from '../../runtime.ts';
import { SSH_CONFIG } from '../../seams/ssh-config.ts';
import { homeDirectory, userName } from '../../user.ts';
import type { Endpoint } from './endpoint.ts';
import { pinOf } from './known-hosts.ts';

const DEFAULT_KEYS = ['id_ed25519', 'id_ecdsa', 'id_rsa', 'id_ed25519_sk', 'id_ecdsa_sk'];

/** Resolves the destination of `options`. Errors: E_HOST_NAME (not a valid host name), E_SSH_CONFIG (ssh rejects its configuration). */
export async function resolveEndpoint(options: SshOptions): Promise<Endpoint> {
  const { destination } = options;
  if (!/^[A-Za-z0-9_.:%[\]@+-]+$/.test(destination) || destination.startsWith('-')) {
    throw new DockerTlsError('E_HOST_NAME', `"${destination}" cannot be the name or address of a host`, {
      where: options.host,
    });
  }
  // ssh itself rejects these since 9.6: a user name reaches ProxyCommand and Match exec through %r.
  if (options.user !== undefined && (options.user.startsWith('-') || /[\s\0-\x1f'"`$\\;&<>|(){}]/.test(options.user))) {
    throw new DockerTlsError('E_HOST_NAME', `"${options.user}" cannot be the name of a user`, { where: options.host });
  }
  const plain = plainEndpoint(options);
  const endpoint = (await SSH_CONFIG.all[0]?.configured(options, plain)) ?? plain;
  return options.knownHostsFile === undefined
    ? endpoint
    : { ...endpoint, userKnownHosts: [options.knownHostsFile], globalKnownHosts: [] };
}

/** Options for a jump host, `[user@]name[:port]` or `ssh://…`, without those that belong to the last hop alone. */
export function jumpOptions(options: SshOptions, jump: string): SshOptions {
  const match = /^(?:ssh:\/\/)?(?:([^@]+)@)?(\[[^\]]+\]|[^:]+|[0-9A-Fa-f:]*::?[0-9A-Fa-f:]*)(?::(\d+))?\/?$/.exec(jump);
  const name = match?.[2]?.replace(/^\[(.*)\]$/, '$1');
  if (match === null || name === undefined) {
    throw new DockerTlsError('E_HOST_NAME', `the jump host "${jump}" is not [user@]name[:port]`, {
      where: options.host,
    });
  }
  return {
    ...options,
    host: `${options.host} (jump ${name})`,
    jumpTo: options.jumpTo ?? options.host,
    destination: name,
    user: match[1],
    port: match[3] === undefined ? undefined : Number(match[3]),
    jump: undefined,
    sudoPassword: undefined,
    firstKey: undefined,
    // A pinned key belongs to the last host.
    hostKey: pinOf(options.hostKey) === undefined ? options.hostKey : options.acceptNewJumps ? 'accept-new' : 'strict',
  };
}

/** The endpoint without any configuration. */
export function plainEndpoint({ destination, user, port, identities, configFile, jump }: SshOptions): Endpoint {
  const inSsh = (name: string): string => join(homeDirectory(), '.ssh', name);
  return {
    alias: destination,
    requested: { configFile, identities, jump },
    hostName: destination,
    port: port ?? 22,
    user: user ?? userName(),
    identities: identitiesOf(identities ?? [], DEFAULT_KEYS.map(inSsh)),
    identitiesOnly: false,
    agent: process.env.SSH_AUTH_SOCK || undefined,
    userKnownHosts: ['known_hosts', 'known_hosts2'].map(inSsh),
    globalKnownHosts: ['/etc/ssh/ssh_known_hosts'],
    hashKnownHosts: false,
    acceptNew: false,
    jump: [],
    needsOpenSsh: [],
    publicKeys: true,
    passwords: true,
    keyboardInteractive: true,
  };
}

/** Key files in the order of attempts: those named with -i, then others. */
export function identitiesOf(named: readonly string[], others: readonly string[]): Endpoint['identities'] {
  // KEY.pub selects a key of the agent or, without one, the private file next to it.
  const explicit = named.flatMap((file) => {
    const beside = file.replace(/\.pub$/, '');
    return beside !== file && existsSync(beside) ? [file, beside] : [file];
  });
  return [
    ...explicit.map((file) => ({ file, explicit: true })),
    ...others.filter((file) => !explicit.includes(file)).map((file) => ({ file, explicit: false })),
  ];
}
