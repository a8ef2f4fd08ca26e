/** Settings of a shared store that make a computer run a command, load a module, log in to a host, or send the content of a file. */

import { createHash } from 'node:crypto';
import { DockerTlsError } from '../../errors/errors.ts';
import type { CaSigner } from './external-ca.ts';
import { inspectCertificate, splitBundle } from './pki/inspect.ts';

/** Signing settings of a store's CA that another operator may have set and this computer would execute. */
export type StoreSettings = {
  /** Hash of the exact values: 32 hexadecimal digits. */
  readonly id: string;
  /** Names and values for display; invisible characters are escaped. */
  readonly values: readonly (readonly [name: string, value: string])[];
};

/** Marks of SSH settings for this run. Never stored. Settings from a shared store, not from this user, need consent on this machine. */
export type RunMarks = {
  /** `--host-key accept-new` for a host with a recorded key: it applies to the jump hosts alone. */
  readonly acceptNewJumps?: true;
  readonly jumpFromStore?: true;
  /** `last`: where this machine logged in last for this host. */
  readonly placeFromStore?: { readonly place: string; readonly last?: string | undefined } | undefined;
};

const MARKS: Readonly<Record<keyof RunMarks, true>> = {
  acceptNewJumps: true,
  jumpFromStore: true,
  placeFromStore: true,
};
export const RUN_MARKS = Object.keys(MARKS) as readonly (keyof RunMarks)[];

/** What is stored of SSH settings. */
export function unmarked<T extends RunMarks>(ssh: T): Omit<T, keyof RunMarks> {
  const { acceptNewJumps: _, jumpFromStore: __, placeFromStore: ___, ...rest } = ssh;
  return rest;
}

/** Undefined if no command runs and no file is sent. */
export function storeSettings({ external, token }: CaSigner): StoreSettings | undefined {
  if (external?.kind === 'command') return shownSettings([['runs', external.command]]);
  if (external !== undefined) {
    const { kind, url, credentialFile, passphraseFile, profiles, trust } = external;
    const roots = splitBundle(trust).map(inspectCertificate);
    return shownSettings(
      [
        ['sends to', `${kind} at ${url}`],
        ['for', Object.values(profiles).join(', ')],
        ...roots.map(({ subject, fingerprint }) => ['TLS root', `${subject}, ${fingerprint}`] as const),
      ],
      [
        ['the file', credentialFile ?? 'that you have yet to name on this computer'],
        ...(passphraseFile === undefined ? [] : [['opened with', passphraseFile] as const]),
      ],
    );
  }
  if (token === undefined) return undefined;
  const { uri, module, pinFile } = token;
  return shownSettings(
    [['signs with', uri]],
    [['module', module ?? 'of p11-kit'], ...(pinFile === undefined ? [] : [['PIN from', pinFile] as const])],
  );
}

/** `own`: what this user has named on this machine, for display only. */
export function shownSettings(values: StoreSettings['values'], own: StoreSettings['values'] = []): StoreSettings {
  return {
    id: createHash('sha256').update(JSON.stringify(values)).digest('hex').slice(0, 32),
    values: [...values, ...own].map(([name, value]) => [name, shown(value)] as const),
  };
}

/** Longer values are not shown: a user would not read them before agreeing. */
const MOST_LETTERS = 1000;

/** The whole value with every character visible: escape codes, zero-width characters and runs of blanks could hide a part of a command. */
function shown(value: string): string {
  if (value.length > MOST_LETTERS)
    throw new DockerTlsError('E_STORE_SETTINGS', `a value of ${value.length} letters is too long to review`, {
      details: [value.slice(0, 200)],
      hints: ['docker-tls ca show', 'docker-tls log'],
    });
  return value.replace(/[^\x20-\x7e]| (?= )/gu, (letter) => `\\u{${letter.codePointAt(0)?.toString(16)}}`);
}
