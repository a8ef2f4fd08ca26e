/** Files of allowed signers, as `ssh-keygen -Y verify` reads them. Loaded on use: recipients of age take a library. */

import { ed25519Of } from '../../../formats/xeddsa.ts';
import { NAMESPACE } from './signatures.ts';

const LINE =
  /^(?<who>"[^"]*"|\S+)\s+(?:(?<options>(?:[^\s"]|"[^"]*")+)\s+)?(?:(?:sk-)?(?:ssh|ecdsa)-\S+\s+(?<key>[A-Za-z0-9+/=]+)|(?<age>age1\w+))/;

/**
 * The principals of a file of allowed signers (ssh-keygen(1), ALLOWED SIGNERS) for a key, at a time; undefined if the file does not allow
 * it. Lines of certificate authorities do not count. A line may have the recipient of an age identity in place of an SSH key.
 */
export function allowedSigner(file: string, publicKey: Buffer, now: Date): string | undefined {
  for (const line of file.split('\n').map((whole) => whole.trim())) {
    const { who = '', options = '', key = '', age } = line.startsWith('#') ? {} : (LINE.exec(line)?.groups ?? {});
    const allowed = age === undefined ? Buffer.from(key, 'base64') : ed25519Of(age);
    if (who === '' || allowed?.equals(publicKey) !== true) continue;
    if (optionsAllow(options, now)) return who.replaceAll('"', '');
  }
  return undefined;
}

function optionsAllow(options: string, now: Date): boolean {
  return (options.match(/(?:[^,"]|"[^"]*")+/g) ?? []).every((option) => {
    const [, name = '', value = ''] = /^([\w-]+)="?([^"]*)"?$/.exec(option) ?? [];
    switch (name.toLowerCase()) {
      case 'namespaces':
        return value.split(',').includes(NAMESPACE);
      case 'valid-after':
        return timeOf(value) <= now.getTime();
      case 'valid-before':
        return now.getTime() < timeOf(value);
      default:
        // Also cert-authority: this key would sign certificates, not files.
        return false;
    }
  });
}

/** `20261130`, with hours, minutes and seconds, in local time or with a Z. NaN, which compares as false, for anything else. */
function timeOf(text: string): number {
  const [, year, month, day, hour = '0', minute = '0', second = '0', utc] =
    /^(\d{4})(\d{2})(\d{2})(?:(\d{2})(\d{2})(\d{2})?)?(Z)?$/.exec(text) ?? [];
  const parts = [Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second)] as const;
  // A day or an hour that does not exist would be taken for a later one.
  const date = new Date(Date.UTC(...parts));
  const days = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()];
  const told = [...days, date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()];
  if (told.some((part, index) => part !== parts[index])) return Number.NaN;
  return utc === undefined ? new Date(...parts).getTime() : Date.UTC(...parts);
}
