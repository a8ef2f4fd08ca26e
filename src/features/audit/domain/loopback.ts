/** Firewall rule that keeps containers off services on the host's 127.0.0.1 without docker-proxy: its drop-in, and its detection. */

/**
 * Interfaces with this setting route packets for 127.0.0.0/8. Without docker-proxy, dockerd sets it on its bridges, and never resets it.
 */
export const ROUTE_LOCALNET = 'net.ipv4.conf.*.route_localnet';

/** Before routing and on every interface: bridges come and go. The host's own packets use lo. */
export const LOOPBACK_RULE = '! -i lo -d 127.0.0.0/8 -m comment --comment docker-tls -j DROP';

/** Each start of dockerd adds the rule first, and fails without it. */
export function renderLoopbackDropIn(): string {
  const iptables = (verb: string): string => `iptables -w 10 -t raw ${verb} PREROUTING ${LOOPBACK_RULE}`;
  return [
    '# Written by docker-tls. `docker-tls remove HOST` takes it away again.',
    "# With userland-proxy=false, dockerd's bridges route packets for 127.0.0.0/8: without this rule, containers reach services on the host's 127.0.0.1.",
    '[Service]',
    `ExecStartPre=/bin/sh -c '${iptables('-C')} 2>/dev/null || ${iptables('-I')}'`,
    '',
  ].join('\n');
}

export type Loopback = {
  readonly iptables: boolean;
  /** Interfaces that accept packets for 127.0.0.0/8: routed, and dropped by no rule. */
  readonly open: readonly string[];
  /** Unparsed rules of raw's PREROUTING that may drop such packets. */
  readonly unclear: readonly string[];
  /** The rule exists. */
  readonly dropped: boolean;
  /** iptables exists but did not answer, because it needs root. */
  readonly unseen: boolean;
};

/**
 * Matches a rule that cannot drop packets for 127.0.0.0/8: for other addresses, for one port, or without a drop. Docker has many of these.
 */
const DROPS_NO_LOOPBACK =
  /(?<!! )-d (?!127\.)[\d.]+\/(?:[89]|[12]\d|3[0-2])\b|(?<!! )--dport \d+(?= |$)|-j (?:ACCEPT|RETURN|CT|NOTRACK|LOG|NFLOG|TRACE)\b/;

/** `iptables`: path of the program; `rules`: output of `iptables -t raw -S PREROUTING` (iptables reorders words). */
export function readLoopback(
  sysctl: ReadonlyMap<string, string>,
  { iptables, rules }: { readonly iptables: string; readonly rules: string },
): Loopback {
  const [before = '', after = ''] = ROUTE_LOCALNET.split('*');
  const names = [...sysctl].flatMap(([key, value]) =>
    key.startsWith(before) && key.endsWith(after) && value === '1'
      ? [key.slice(before.length, -after.length).replaceAll('/', '.')]
      : [],
  );
  const lines = rules.split('\n').map((line) => line.trim());
  const DROP = /^-A PREROUTING -d 127\.0\.0\.0\/8 (! )?-i (\S+)(?: -m comment --comment \S+)? -j DROP$/;
  const drops = lines.flatMap((line) => {
    const [, not, name = ''] = DROP.exec(line) ?? [];
    return name === '' ? [] : [{ all: not !== undefined && name === 'lo', name }];
  });
  const dropped = drops.some(({ all }) => all);
  return {
    iptables: iptables !== '',
    dropped,
    unclear: lines.filter((line) => line.startsWith('-A ') && !DROP.test(line) && !DROPS_NO_LOOPBACK.test(line)),
    unseen: iptables !== '' && rules.trim() === '',
    open: dropped
      ? []
      : names.filter((name) => name !== 'lo' && name !== 'default' && !drops.some((drop) => drop.name === name)),
  };
}
