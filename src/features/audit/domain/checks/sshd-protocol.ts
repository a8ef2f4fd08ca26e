/** Checks of sshd's protocol settings: algorithms, trust in hosts, tunnels and the environment of logins. */

import type { AuditFacts } from '../audit-facts.ts';
import type { Check, Severity } from '../check.ts';

export type Fault = { readonly text: string; readonly severity?: Severity };

export type SshCheck = Omit<Check, 'id' | 'fix' | 'evaluate'> & {
  /** Lines for a drop-in. */
  readonly lines: string;
  /** `value` returns a setting for all logins, or for a Match block, in lower case. */
  readonly wrong: (value: (key: string) => string) => Fault | undefined;
  /** Reason why harden leaves this setting unchanged. */
  readonly unfixable?: (facts: AuditFacts) => string | undefined;
};

/** Broken or short: no program of the last ten years needs them. SHA-1 in an HMAC is not broken, and is on by default. */
const WEAK: Readonly<Record<string, RegExp>> = {
  Ciphers: /^(3des-cbc|.*-cbc(@.*)?|arcfour.*|none)$/,
  MACs: /^(hmac-md5.*|.*-96(-.*)?|hmac-ripemd160.*)$/,
  KexAlgorithms: /^diffie-hellman-group(1|14|-exchange)-sha1$/,
};

/** By check ID. */
export const OF_PROTOCOL: Readonly<Record<string, SshCheck>> = {
  'ssh.14': {
    title: 'sshd accepts no broken ciphers, MACs and key exchanges',
    failure: 'sshd accepts broken ciphers, MACs or key exchanges',
    severity: 'medium',
    why: 'A man in the middle chooses the weakest that both sides accept.',
    lines: 'Take them out of Ciphers, MACs and KexAlgorithms',
    wrong: (value) => {
      const weak = Object.entries(WEAK).flatMap(([keyword, pattern]) => {
        const found = value(keyword.toLowerCase())
          .split(',')
          .filter((name) => pattern.test(name));
        return found.length === 0 ? [] : [`${keyword}: ${found.join(', ')}`];
      });
      return weak.length === 0 ? undefined : { text: weak.join('; ') };
    },
  },
  'ssh.15': {
    title: 'No login by the name of a host',
    failure: 'Hosts log in by their name',
    severity: 'high',
    why: 'Root of any host that is listed, or can take its name and key, logs in as any user without a key of that user.',
    lines: 'HostbasedAuthentication no and IgnoreRhosts yes',
    wrong: (value) => {
      const rhosts = value('ignorerhosts');
      if (value('hostbasedauthentication') === 'yes')
        return { text: `HostbasedAuthentication is yes${rhosts === 'yes' ? '' : `, IgnoreRhosts ${rhosts}`}` };
      return rhosts === 'no' ? { text: 'IgnoreRhosts is no', severity: 'low' } : undefined;
    },
  },
  'ssh.16': {
    title: 'Users do not set the environment of their login',
    failure: 'Users set the environment of their login',
    severity: 'medium',
    why: 'With LD_PRELOAD in ~/.ssh/environment a user gets around a forced command or a restricted shell.',
    lines: 'PermitUserEnvironment no',
    wrong: (value) =>
      ['', 'no'].includes(value('permituserenvironment'))
        ? undefined
        : { text: `PermitUserEnvironment is ${value('permituserenvironment')}` },
  },
  'ssh.17': {
    title: 'No networks are joined by SSH',
    failure: 'Networks can be joined by SSH',
    severity: 'low',
    why: 'A tunnel device lets root of the client into the network of the host, past its firewall.',
    lines: 'PermitTunnel no',
    wrong: (value) =>
      ['', 'no'].includes(value('permittunnel')) ? undefined : { text: `PermitTunnel is ${value('permittunnel')}` },
  },
  'ssh.18': {
    title: 'Forwarded ports are for the host itself',
    failure: 'Forwarded ports are open to the network',
    severity: 'low',
    why: 'ssh -R then opens a port to everyone who reaches the host, not only to its own programs.',
    lines: 'GatewayPorts no',
    wrong: (value) =>
      ['', 'no'].includes(value('gatewayports')) ? undefined : { text: `GatewayPorts is ${value('gatewayports')}` },
  },
};
