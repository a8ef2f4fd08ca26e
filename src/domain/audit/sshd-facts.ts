/** Owns the reading of what sshd says of its settings: `sshd -T`, `sshd -V`, and the Match blocks of its files. */

/** What sshd does for some logins only. */
export type SshdMatch = { readonly criteria: string; readonly settings: ReadonlyMap<string, string> };

/** Some switches as OpenSSH 10.4 and later print them. */
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

/** Match blocks, each with what it says of a keyword first. */
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
