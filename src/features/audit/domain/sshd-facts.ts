/** Parser of sshd's settings: `sshd -T`, `sshd -V`, the Match blocks of its files, and required credentials. */

/** A Match block: settings for some logins. */
export type SshdMatch = { readonly criteria: string; readonly settings: ReadonlyMap<string, string> };

/** Spelling of some switches in OpenSSH 10.4 and later. */
const SWITCHES: ReadonlyMap<string, string> = new Map([
  ['true', 'yes'],
  ['false', 'no'],
]);

export function parseSshd(text: string): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  for (const [, key = '', value = ''] of text.matchAll(/^(\S+) ?(.*)$/gm)) {
    found.set(key.toLowerCase(), [...(found.get(key.toLowerCase()) ?? []), SWITCHES.get(value) ?? value]);
  }
  return found;
}

/** Match blocks, each with its first value of every keyword. */
export function parseMatches(text: string): readonly SshdMatch[] {
  const found: { readonly criteria: string; readonly settings: Map<string, string> }[] = [];
  for (const line of text.split('\n')) {
    const [, keyword = '', value = ''] = /^\s*([A-Za-z]+)(?:\s*=\s*|\s+)"?(.*?)"?\s*$/.exec(line) ?? [];
    const key = keyword.toLowerCase();
    if (key === 'match') found.push({ criteria: value, settings: new Map() });
    const settings = found.at(-1)?.settings;
    if (key !== 'match' && key !== '' && settings?.has(key) === false) settings.set(key, value);
  }
  return found;
}

export function sshdVersion(text: string): number | undefined {
  const [, major, minor] = /OpenSSH_(\d+)\.(\d+)/.exec(text) ?? [];
  return major === undefined ? undefined : Number(major) * 100 + Number(minor);
}

type PasswordMethod = 'password' | 'keyboard-interactive';

function passwordMethods(list: string): readonly PasswordMethod[] {
  const methods = list.split(',').map((method) => method.replace(/:.*$/, ''));
  return (['password', 'keyboard-interactive'] as const).filter((method) => methods.includes(method));
}

/** AuthenticationMethods: lists of methods, each as one text (sshd_config(5)); empty for `any`. */
export function methodLists(text: string): readonly string[] {
  const lists = text.toLowerCase().split(/\s+/);
  return lists.filter((list) => list !== '' && list !== 'any');
}

/** True if either method is sufficient without a key. */
export function suffices(method: PasswordMethod, lists: readonly string[]): boolean {
  return (
    lists.length === 0 ||
    lists.some(
      (list) => passwordMethods(list).includes(method) && passwordMethods(list).length === list.split(',').length,
    )
  );
}

/**
 * Credentials required in addition to a key (AuthenticationMethods, globally or in a Match block): disabling them would lock those logins
 * out.
 */
export function secondFactors(
  sshd: ReadonlyMap<string, readonly string[]>,
  matches: readonly SshdMatch[],
): ReadonlySet<PasswordMethod> {
  const key = 'authenticationmethods';
  const texts = [sshd.get(key)?.[0], ...matches.map(({ settings }) => settings.get(key))];
  return new Set(
    texts.flatMap((text = '') => {
      const lists = methodLists(text);
      if (lists.some((list) => passwordMethods(list).length === 0)) return [];
      return lists.flatMap((list) =>
        passwordMethods(list).length < list.split(',').length ? passwordMethods(list) : [],
      );
    }),
  );
}
