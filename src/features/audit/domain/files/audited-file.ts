/** Audit of one file: checks and parser by its kind. */

import { type AuditedFile, fileName } from '../report/report.ts';
import { score } from '../score.ts';
import { auditCompose, COMPOSE_CHECKS } from './compose.ts';
import type { Beside } from './compose-model.ts';
import { auditDockerfile, DOCKERFILE_CHECKS } from './dockerfile.ts';

export const FILE_KINDS = {
  compose: { checks: COMPOSE_CHECKS, judge: auditCompose },
  dockerfile: { checks: DOCKERFILE_CHECKS, judge: auditDockerfile },
} as const;

/** `beside`: context of a Compose file. Fails with E_COMPOSE, E_DOCKERFILE (exit 2) for invalid text. */
export function auditFile(kind: keyof typeof FILE_KINDS, path: string, text: string, beside?: Beside): AuditedFile {
  const results = FILE_KINDS[kind].judge(text, path, beside);
  return { kind, name: fileName(path), results, score: score(results) };
}
