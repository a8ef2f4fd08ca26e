/** The settings of `~/.ssh/config` for a destination. `ssh -G` resolves Include, Match and tokens as no parser does. */

import type { Endpoint } from '../../../core/adapters/ssh/endpoint.ts';
import { identitiesOf } from '../../../core/adapters/ssh/resolve-endpoint.ts';
import type { SshOptions } from '../../../core/runtime.ts';
import { askConfig, type ConfigValues } from './config-answers.ts';
import { expandPath } from './ssh-tokens.ts';

/** An endpoint with what only the openssh transport uses. The core passes it on. */
export type ConfiguredEndpoint = Endpoint & {
  /** The words of KnownHostsCommand, with its tokens about the host's key unexpanded. */
  readonly knownHostsCommand?: readonly string[];
  /** Whichever of StdinNull and ForkAfterAuthentication the configuration enables. */
  readonly detaches?: readonly string[];
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

/** The endpoint with the configuration for its destination. Errors: as `askConfig`. */
export async function configured(options: SshOptions, endpoint: Endpoint): Promise<ConfiguredEndpoint> {
  return withConfig(options, endpoint, await askConfig(options));
}

/** Merges options over configuration over `endpoint`, the defaults. */
export function withConfig(options: SshOptions, endpoint: Endpoint, config: ConfigValues): ConfiguredEndpoint {
  const one = (key: string): string | undefined => {
    const value = config.get(key)?.[0];
    return value === undefined || value.toLowerCase() === 'none' ? undefined : value;
  };
  const { alias } = endpoint;
  const hostName = one('hostname') ?? endpoint.hostName;
  const port = options.port ?? Number(one('port') ?? endpoint.port);
  const user = options.user ?? one('user') ?? endpoint.user;
  const about = { hostName, port, user, alias, keyAlias: one('hostkeyalias') ?? alias, jump: one('proxyjump') ?? '' };
  const expand = (path: string): string => expandPath(path, about);
  const files = (key: string): string[] | undefined =>
    config
      .get(key)
      ?.flatMap(splitWords)
      .filter((path) => path !== 'none')
      .map(expand);
  const keys =
    config
      .get('identityfile')
      ?.filter((path) => path !== 'none')
      .map((path) => expand(path.replace(/^"(.*)"$/, '$1'))) ??
    endpoint.identities.filter(({ explicit }) => !explicit).map(({ file }) => file);
  const family = one('addressfamily');
  return {
    ...endpoint,
    hostName,
    port,
    user,
    identities: identitiesOf((options.identities ?? []).map(expand), keys),
    identitiesOnly: one('identitiesonly') === 'yes',
    agent: agentSocket(one('identityagent'), config.get('identityagent')?.[0] === 'none', expand),
    userKnownHosts: files('userknownhostsfile') ?? endpoint.userKnownHosts,
    globalKnownHosts: files('globalknownhostsfile') ?? endpoint.globalKnownHosts,
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
