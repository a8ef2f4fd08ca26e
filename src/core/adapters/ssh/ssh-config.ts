/**
 * Settings of `~/.ssh/config` for a destination. `ssh -G` resolves Include, Match and tokens as no parser does; without ssh, OpenSSH's
 * defaults apply.
 */

import { existsSync } from 'node:fs';
import { DockerTlsError } from '../../../errors/errors.ts';
import type { SshOptions } from '../../runtime.ts';
import { userName } from '../../user.ts';
import { askConfig, type ConfigValues } from './config-answers.ts';
import { pinOf } from './known-hosts.ts';
import { expandPath } from './ssh-tokens.ts';

/** One hop as dialled: options, ssh config and defaults combined. */
export type Endpoint = {
  /** The name as the user wrote it. */
  readonly alias: string;
  /** The options for reaching it, for commands to paste. */
  readonly requested: Pick<SshOptions, 'configFile' | 'identities' | 'jump'>;
  readonly hostName: string;
  readonly port: number;
  readonly user: string;
  /** Key files in the order of attempts; `explicit` ones were named with -i and must exist. */
  readonly identities: readonly { readonly file: string; readonly explicit: boolean }[];
  readonly identitiesOnly: boolean;
  readonly agent?: string;
  readonly userKnownHosts: readonly string[];
  readonly globalKnownHosts: readonly string[];
  /** The words of KnownHostsCommand, with its tokens about the host's key unexpanded. */
  readonly knownHostsCommand?: readonly string[];
  /** Whichever of StdinNull and ForkAfterAuthentication the configuration enables. */
  readonly detaches: readonly string[];
  readonly hostKeyAlias?: string;
  readonly hashKnownHosts: boolean;
  /** The configuration has StrictHostKeyChecking accept-new. `no` is ignored. */
  readonly acceptNew: boolean;
  /** Jump hosts from the configuration, nearest first. */
  readonly jump: readonly string[];
  /** Keywords of the configuration that only the system's ssh supports. */
  readonly needsOpenSsh: readonly string[];
  readonly family?: 4 | 6;
  readonly publicKeys: boolean;
  readonly passwords: boolean;
  readonly keyboardInteractive: boolean;
};

/** Keywords of ssh_config(5) that affect the endpoint or the login and that the ssh2 transport does not support. */
const OPENSSH_ALONE = [
  'BindAddress',
  'BindInterface',
  'CertificateFile',
  'ControlPath',
  'HostbasedAuthentication',
  'KnownHostsCommand',
  'PKCS11Provider',
  'PreferredAuthentications',
  'ProxyCommand',
  'RevokedHostKeys',
  'VerifyHostKeyDNS',
];

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
  const endpoint = endpointFrom(options, await askConfig(options));
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

/** Merges options over configuration over defaults. Reads no file. */
export function endpointFrom(options: SshOptions, config: ConfigValues): Endpoint {
  const one = (key: string): string | undefined => {
    const value = config.get(key)?.[0];
    return value === undefined || value.toLowerCase() === 'none' ? undefined : value;
  };
  const hostName = one('hostname') ?? options.destination;
  const port = options.port ?? Number(one('port') ?? 22);
  const user = options.user ?? one('user') ?? userName();
  const alias = options.destination;
  const about = { hostName, port, user, alias, keyAlias: one('hostkeyalias') ?? alias, jump: one('proxyjump') ?? '' };
  const expand = (path: string): string => expandPath(path, about);
  const files = (key: string): string[] =>
    (config.get(key) ?? [])
      .flatMap(splitWords)
      .filter((path) => path !== 'none')
      .map(expand);
  const configured = (config.get('identityfile') ?? DEFAULT_KEYS.map((name) => `~/.ssh/${name}`))
    .filter((path) => path !== 'none')
    .map((path) => expand(path.replace(/^"(.*)"$/, '$1')));
  // KEY.pub selects a key of the agent or, without one, the private file next to it.
  const explicit = (options.identities ?? []).map(expand).flatMap((file) => {
    const beside = file.replace(/\.pub$/, '');
    return beside !== file && existsSync(beside) ? [file, beside] : [file];
  });
  const family = one('addressfamily');
  const agent = agentSocket(one('identityagent'), config.get('identityagent')?.[0] === 'none', expand);
  return {
    alias,
    requested: { configFile: options.configFile, identities: options.identities, jump: options.jump },
    hostName,
    port,
    user,
    identities: [
      ...explicit.map((file) => ({ file, explicit: true })),
      ...configured.filter((file) => !explicit.includes(file)).map((file) => ({ file, explicit: false })),
    ],
    identitiesOnly: one('identitiesonly') === 'yes',
    agent,
    userKnownHosts: config.has('userknownhostsfile')
      ? files('userknownhostsfile')
      : ['~/.ssh/known_hosts', '~/.ssh/known_hosts2'].map(expand),
    globalKnownHosts: config.has('globalknownhostsfile') ? files('globalknownhostsfile') : ['/etc/ssh/ssh_known_hosts'],
    knownHostsCommand: one('knownhostscommand') === undefined ? undefined : files('knownhostscommand'),
    detaches: ['StdinNull', 'ForkAfterAuthentication'].filter((key) => one(key.toLowerCase()) === 'yes'),
    hostKeyAlias: one('hostkeyalias'),
    hashKnownHosts: one('hashknownhosts') === 'yes',
    acceptNew: one('stricthostkeychecking') === 'accept-new',
    jump: (one('proxyjump') ?? '')
      .split(',')
      .map((hop) => hop.trim())
      .filter((hop) => hop !== ''),
    needsOpenSsh: OPENSSH_ALONE.filter((key) => !/^(no|false)$/.test(one(key.toLowerCase()) ?? 'no')),
    family: family === 'inet' ? 4 : family === 'inet6' ? 6 : undefined,
    publicKeys: !/^(no|false)$/.test(one('pubkeyauthentication') ?? 'yes'),
    passwords: one('passwordauthentication') !== 'no',
    keyboardInteractive: one('kbdinteractiveauthentication') !== 'no',
  };
}

/** IdentityAgent: a path, `SSH_AUTH_SOCK`, `$NAME`, or by default the environment's. */
function agentSocket(value: string | undefined, none: boolean, expand: (path: string) => string): string | undefined {
  if (none) return undefined;
  const socket =
    value === undefined || value === 'SSH_AUTH_SOCK'
      ? process.env.SSH_AUTH_SOCK
      : value.startsWith('$')
        ? process.env[value.slice(1).replace(/^\{(.*)\}$/, '$1')]
        : expand(value);
  return socket === '' ? undefined : socket;
}

/** Words separated by blanks; double quotes protect blanks in a word. */
function splitWords(text: string): string[] {
  return [...text.matchAll(/"([^"]*)"|(\S+)/g)].map((match) => match[1] ?? match[2] ?? '');
}
