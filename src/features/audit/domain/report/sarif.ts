/** SARIF 2.1.0 report (OASIS) for code scanning: open and accepted findings. */

import type { Evidence, Severity } from '../check.ts';
import type { FindingKey } from '../compare.ts';
import type { Acceptance, CheckResult } from '../evaluate.ts';
import { clean } from './clean.ts';
import { type AuditReport, judged, selectionWords } from './report.ts';

const LEVELS: Readonly<Record<Severity, 'error' | 'warning' | 'note'>> = {
  critical: 'error',
  high: 'error',
  medium: 'warning',
  low: 'note',
  info: 'note',
};

/** GitHub's `security-severity`, on a scale of 0 to 10. */
const SCALE: Readonly<Record<Severity, string>> = {
  critical: '9.5',
  high: '8.0',
  medium: '5.5',
  low: '3.0',
  info: '1.0',
};

function rule(result: CheckResult) {
  return {
    id: result.id,
    name: result.id.replace(/[^A-Za-z0-9]+/g, '_'),
    shortDescription: { text: result.title },
    fullDescription: { text: result.why },
    help: {
      text: `${result.why}\n\nTo fix: ${result.fixOfAny ?? result.fix}`,
      markdown: `${result.why}\n\n**To fix:** ${result.fixOfAny ?? result.fix}`,
    },
    defaultConfiguration: { level: LEVELS[result.severity] },
    properties: {
      'security-severity': SCALE[result.severity],
      tags: [
        'security',
        'docker',
        ...(result.level === undefined ? [] : [`CIS Docker Level ${result.level}`]),
        ...Object.entries(result.cis).map(([benchmark, number]) => `CIS Docker ${benchmark}: ${number}`),
      ],
    },
  };
}

function uriPath(path: string): string {
  return path
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .map((part) => encodeURIComponent(clean(part, 300)))
    .join('/');
}

/** A file's path as given, even outside the checkout, as a relative reference or file: URI (RFC 3986, 8089). */
function fileUri(path: string): string {
  const slashes = /^[A-Za-z]:\\|^\\\\/.test(path) ? path.replaceAll('\\', '/') : path;
  const drive = /^[A-Za-z]:(?=\/)/.exec(slashes)?.[0];
  if (drive !== undefined) return `file:///${drive}/${uriPath(slashes.slice(2))}`;
  return slashes.startsWith('/') ? `file:///${uriPath(slashes)}` : uriPath(slashes);
}

/** Hosts have no checkout: the host's name is a prefix of their places, so they cannot match a file. */
function placeUri(host: string, place: string): string {
  const path = `${host}/${place.startsWith('/') ? place.slice(1) : place.replaceAll(' ', '/')}`;
  return uriPath(
    path
      .split('/')
      .filter((part) => part !== '..')
      .join('/'),
  );
}

/** JSON text, indented by two spaces. `known` (the previous report) adds a baselineState to every result. */
export function renderSarif(report: AuditReport, known?: readonly FindingKey[]): string {
  const rules = new Map<string, ReturnType<typeof rule>>();
  const before =
    known === undefined
      ? undefined
      : new Set(known.map(({ subject, check, place }) => JSON.stringify([subject, check, place])));
  const results = judged(report).flatMap((subject) =>
    subject.results
      .filter(({ state }) => state === 'finding')
      .flatMap((result) => {
        if (!rules.has(result.id)) rules.set(result.id, rule(result));
        const open = result.evidence.map((piece) => ({ ...piece, accepted: result.accepted }));
        const pieces: readonly (Evidence & { readonly accepted?: Acceptance | undefined })[] = [
          ...open,
          ...(result.acceptedEvidence ?? []),
        ];
        return pieces.map(({ place, text, file, line, severity = result.severity, accepted }) => {
          const name = clean(subject.name, 300);
          const cleanPlace = clean(place, 300);
          const fingerprint = `${name}/${result.id}/${cleanPlace}`;
          return {
            ruleId: result.id,
            ruleIndex: [...rules.keys()].indexOf(result.id),
            kind: 'fail',
            level: LEVELS[severity],
            message: { text: clean(`${result.failure}. ${name}, ${cleanPlace}: ${text}`) },
            locations: [
              {
                physicalLocation: {
                  artifactLocation: {
                    uri: subject.kind === 'host' ? placeUri(subject.name, place) : fileUri(file ?? subject.name),
                  },
                  region: { startLine: line ?? 1 },
                },
                logicalLocations: [
                  { name: cleanPlace, fullyQualifiedName: `${name}: ${cleanPlace}`, kind: 'resource' },
                ],
              },
            ],
            partialFingerprints: { 'dockerTls/v1': fingerprint },
            baselineState:
              before === undefined
                ? undefined
                : before.has(JSON.stringify([subject.name, result.id, place]))
                  ? 'unchanged'
                  : 'new',
            suppressions: accepted && [
              {
                kind: accepted.expires === undefined ? 'inSource' : 'external',
                status: 'accepted',
                justification: clean(accepted.reason),
              },
            ],
          };
        });
      }),
  );
  const log = {
    $schema: 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'docker-tls',
            semanticVersion: report.version,
            informationUri: 'https://github.com/docker-tls/docker-tls',
            rules: [...rules.values()],
          },
        },
        invocations: [
          {
            executionSuccessful: report.subjects.every(({ kind }) => kind !== 'unreachable'),
            endTimeUtc: report.createdAt,
            toolExecutionNotifications: report.subjects.flatMap((subject) =>
              subject.kind === 'unreachable'
                ? [{ level: 'error', message: { text: clean(`${subject.name}: ${subject.error}`) } }]
                : [],
            ),
          },
        ],
        columnKind: 'utf16CodeUnits',
        properties: {
          benchmark: report.benchmark,
          vulnerabilities: report.vulnerabilities,
          selection: selectionWords(report)[0],
        },
        results,
      },
    ],
  };
  return `${JSON.stringify(log, null, 2)}\n`;
}
