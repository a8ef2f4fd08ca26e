/** Audit of Compose projects and Dockerfiles. */

import type { CheckResult } from '../evaluate.ts';
import { type AuditedFile, fileName } from '../report/report.ts';
import { score } from '../score.ts';
import { COMPOSE_CHECKS, judgeCompose } from './compose.ts';
import { parseCompose } from './compose-model.ts';
import type { Neighbours } from './compose-project.ts';
import { auditDockerfile, DOCKERFILE_CHECKS } from './dockerfile.ts';
import { applyIgnores } from './inline-ignores.ts';

export const FILE_CHECKS = { compose: COMPOSE_CHECKS, dockerfile: DOCKERFILE_CHECKS } as const;

type NamedText = { readonly path: string; readonly text: string };

/** A project of one or more files, merged in this order. Fails with E_COMPOSE (exit 2) for invalid text. */
export function auditComposeFiles(name: string, texts: readonly NamedText[], neighbours: Neighbours): AuditedFile {
  const results = judgeCompose(parseCompose(texts, neighbours));
  const others = new Set(results.flatMap(({ evidence }) => evidence.flatMap(({ file }) => file ?? [])));
  for (const { path } of texts) others.delete(path);
  const read = [...others].flatMap((path) => {
    const file = neighbours.read(path);
    return 'text' in file ? [{ path, text: file.text }] : [];
  });
  const inside = DOCKERFILE_CHECKS.map(({ id }) => id);
  return audited('compose', name, applyIgnores(results, 'compose', [...texts, ...read], inside));
}

/** Fails with E_DOCKERFILE (exit 2) for invalid text. */
export function auditDockerfileText({ path, text }: NamedText): AuditedFile {
  return audited('dockerfile', path, applyIgnores(auditDockerfile(text, path), 'dockerfile', [{ path, text }]));
}

function audited(kind: AuditedFile['kind'], name: string, results: readonly CheckResult[]): AuditedFile {
  return { kind, name: fileName(name), results, score: score(results) };
}
