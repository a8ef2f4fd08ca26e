/**
 * Recorded facts of lab hosts (test/features/audit/golden/audit/*.facts) and their alteration: a state that the lab cannot show is a
 * recorded host with one change.
 */

import { readFileSync } from 'node:fs';
import type { Section } from '../../../../src/core/domain/dockerd/sections.ts';
import { type AuditFacts, parseAuditFacts } from '../../../../src/features/audit/domain/audit-facts.ts';
import { printSections, sectionsOf } from '../../../support/sections.ts';

export const RECORDED = [
  'fresh-bookworm',
  'fresh-trixie',
  'fresh-sid',
  'bad-bookworm',
  'bad-trixie',
  'bad-sid',
  'good-bookworm',
  'good-trixie',
  'good-sid',
  'remapped-bookworm',
  'remapped-trixie',
  'remapped-sid',
  'swarm-trixie',
  'setup-bookworm',
  'setup-trixie',
  'setup-sid',
  'harden-bookworm',
  'harden-trixie',
  'harden-sid',
  'lynis-bookworm',
  'lynis-trixie',
  'lynis-sid',
  'odd-trixie',
  'bad-trixie-vm',
  'good-trixie-vm',
  'harden-trixie-vm',
  'lynis-trixie-vm',
] as const;

export type RecordedName = (typeof RECORDED)[number];

export function recordedBytes(name: RecordedName): Buffer {
  return readFileSync(new URL(`../golden/audit/${name}.facts`, import.meta.url));
}

export type Alteration = {
  /** New content by section name; undefined removes the section. A missing section is added. */
  readonly sections?: Readonly<Record<string, string | undefined>>;
  /** Words added to dockerd's command line. */
  readonly flags?: readonly string[];
  /** daemon.json's new text. */
  readonly config?: string;
  /** Changes answers of the API, by path or the beginning of one (`/containers/`: every container). */
  readonly api?: Readonly<Record<string, (value: never) => unknown>>;
};

function apiPath(name: string): string | undefined {
  return /^api \d{3} (?:http:\/\/docker)?(\/.*)$/.exec(name)?.[1];
}

export function altered(name: RecordedName, { sections = {}, flags, config, api = {} }: Alteration): AuditFacts {
  const changes: Record<string, string | undefined> = { ...sections };
  if (config !== undefined) {
    changes.config = config;
    changes['config-stat'] = '81a4 0 0 root root 10 /etc/docker/daemon.json';
  }
  const list = sectionsOf('audit', recordedBytes(name)).flatMap((section): readonly Section[] => {
    if (section.name in changes) {
      const content = changes[section.name];
      delete changes[section.name];
      return content === undefined ? [] : [{ name: section.name, content: Buffer.from(content) }];
    }
    if (section.name === 'dockerd-cmdline' && flags !== undefined) {
      return [
        {
          name: section.name,
          content: Buffer.concat([section.content, Buffer.from(flags.map((flag) => `${flag}\0`).join(''))]),
        },
      ];
    }
    const path = apiPath(section.name);
    const prefix =
      path === undefined
        ? undefined
        : Object.keys(api).find(
            (key) => path === key || (key.endsWith('/') && path.startsWith(key) && path.endsWith('/json')),
          );
    if (prefix === undefined) return [section];
    const value = (api[prefix] as (value: unknown) => unknown)(JSON.parse(section.content.toString()));
    return [{ name: section.name, content: Buffer.from(JSON.stringify(value)) }];
  });
  const added = Object.entries(changes).flatMap(([key, content]): readonly Section[] =>
    content === undefined ? [] : [{ name: key, content: Buffer.from(content) }],
  );
  return parseAuditFacts(printSections('audit', [...added, ...list]));
}

/** Merges fields into a JSON object, deeply; arrays and scalars are replaced. */
export function merge(fields: object): (value: never) => unknown {
  function deep(base: unknown, extra: unknown): unknown {
    if (
      typeof base !== 'object' ||
      base === null ||
      Array.isArray(base) ||
      typeof extra !== 'object' ||
      extra === null ||
      Array.isArray(extra)
    )
      return extra;
    const result: Record<string, unknown> = { ...base };
    for (const [key, value] of Object.entries(extra)) result[key] = deep(result[key], value);
    return result;
  }
  return (value) => deep(value, fields);
}
