/**
 * Rules for sharing answers of `ssh -G`: destinations that the ssh configuration treats alike get one answer. The parser is small on
 * purpose: for any keyword, line form or criterion that it does not list, ssh is run for each destination.
 */

/** The part of a configuration file that follows one `Host` line. */
type Block = {
  /** Patterns of the `Host` line; undefined: the block applies to every destination. */
  readonly patterns?: readonly string[];
  /** All of its keywords mean the same for every destination. */
  readonly same: boolean;
  /** Values of ProxyJump: ssh compares them with the destination. */
  readonly jumps: readonly string[];
};

/** The combined rules of several configuration files; undefined if only ssh itself can distinguish destinations. */
export type ConfigRules = readonly Block[];

/** Keywords of ssh_config(5) whose values, without a token, do not depend on the destination. */
const SAME = new Set(
  `addkeystoagent addressfamily batchmode bindaddress bindinterface casignaturealgorithms certificatefile checkhostip ciphers compression
  connectionattempts connecttimeout controlmaster controlpath controlpersist enableescapecommandline enablesshkeysign escapechar
  exitonforwardfailure fingerprinthash forkafterauthentication forwardagent forwardx11 forwardx11timeout forwardx11trusted gatewayports
  globalknownhostsfile gssapiauthentication gssapidelegatecredentials gssapikexalgorithms gssapikeyexchange gssapirenewalforcesrekey
  gssapiserveridentity gssapitrustdns hashknownhosts hostbasedacceptedalgorithms hostbasedauthentication hostbasedkeytypes
  hostkeyalgorithms hostkeyalias identitiesonly identityagent identityfile ignoreunknown ipqos kbdinteractiveauthentication kexalgorithms
  loglevel macs nohostauthenticationforlocalhost numberofpasswordprompts obscurekeystroketiming passwordauthentication pkcs11provider port
  preferredauthentications pubkeyacceptedalgorithms pubkeyacceptedkeytypes pubkeyauthentication rekeylimit requesttty requiredrsasize
  revokedhostkeys securitykeyprovider sendenv serveralivecountmax serveraliveinterval setenv stricthostkeychecking syslogfacility
  tcpkeepalive updatehostkeys usekeychain user userknownhostsfile verifyhostkeydns visualhostkey xauthlocation`.split(
    /\s+/,
  ),
);

/** A name that ssh uses unchanged, and an IPv4 address in its usual form. ssh rewrites others (`Build`, `127.1`, IPv6). */
const PLAIN = /^(?=.{1,253}$)(?:[a-z0-9_][a-z0-9_-]*\.)*[a-z_][a-z0-9_-]*$/;
const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){3}(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)$/;

/** Parses the texts of all configuration files that ssh has read, in any order. */
export function parseRules(texts: readonly string[]): ConfigRules | undefined {
  const blocks: Block[] = [];
  for (const text of texts) {
    const found = parseFile(text);
    if (found === undefined) return undefined;
    blocks.push(...found);
  }
  return blocks;
}

function parseFile(text: string): Block[] | undefined {
  const blocks: { patterns?: readonly string[]; same: boolean; jumps: string[] }[] = [{ same: true, jumps: [] }];
  for (const raw of text.split('\n')) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const [, key = '', value = ''] = /^([A-Za-z0-9]+)(?:\s*=\s*|\s+)(.*)$/.exec(line) ?? [];
    const keyword = key.toLowerCase();
    const block = blocks.at(-1) as (typeof blocks)[number];
    if (keyword === 'host') {
      // A quoted name, or a comment after the names.
      if (/["'\\#]/.test(value)) return undefined;
      blocks.push({ patterns: value === '*' ? undefined : value.split(/\s+/), same: true, jumps: [] });
    } else if (keyword === 'match') {
      if (!/^(final\s+)?all$/i.test(value)) return undefined;
      blocks.push({ same: true, jumps: [] });
    } else if (keyword === 'include') {
      // The included files are among the texts; inside a block they would apply to its destinations alone.
      if (block.patterns !== undefined || /[%$]/.test(value)) return undefined;
    } else if (keyword === 'proxyjump' && !value.includes('%')) block.jumps.push(value.toLowerCase());
    else if (!SAME.has(keyword) || value.includes('%')) block.same = false;
  }
  return blocks;
}

/** Destinations of the same kind get the same answer except for their name. Undefined: this one needs its own run of ssh. */
export function kindOfDestination(rules: ConfigRules, destination: string): string | undefined {
  if (!PLAIN.test(destination) && !IPV4.test(destination)) return undefined;
  const about = rules.flatMap((block, index) => (applies(block, destination) ? [{ ...block, index }] : []));
  if (about.some(({ same, jumps }) => !same || jumps.some((jump) => jump.includes(destination)))) return undefined;
  return about.map(({ index }) => index).join(' ');
}

/** As ssh_config(5), PATTERNS: one of the names, and none of those with an exclamation mark. */
function applies({ patterns }: Block, destination: string): boolean {
  if (patterns === undefined) return true;
  const matching = patterns.filter((pattern) => matchesPattern(pattern.replace(/^!/, ''), destination));
  return matching.length > 0 && matching.every((pattern) => !pattern.startsWith('!'));
}

function matchesPattern(pattern: string, destination: string): boolean {
  const source = pattern.replace(/[^*?]+|\*+|\?/g, (part) =>
    part.startsWith('*') ? '.*' : part === '?' ? '.' : part.replace(/[.+^$()|[\]{}\\/-]/g, '\\$&'),
  );
  return new RegExp(`^${source}$`).test(destination);
}
