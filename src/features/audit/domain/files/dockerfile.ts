/** Checks of a Dockerfile. IDs contain the benchmark's numbers where one exists: `dockerfile.4.9` is 4.9 for an image before its build. */

import { shellQuote } from '../../../../core/domain/quote.ts';
import { DockerTlsError } from '../../../../errors/errors.ts';
import { inBenchmarkOrder } from '../benchmark.ts';
import { checksOf, type Evidence, finding, judge, PASS, type Verdict } from '../check.ts';
import { isLoneUpdate, isRootUser } from '../checks/images.ts';
import { type CheckResult, resultOf } from '../evaluate.ts';
import { at, type DockerfileCheck, each, run } from './dockerfile-check.ts';
import { DOCKERFILE_CODE } from './dockerfile-code.ts';
import {
  type Dockerfile,
  declared,
  expanded,
  finalStages,
  type Instruction,
  MAX_CHARS,
  MAX_INSTRUCTION,
  MAX_LINES,
  parseDockerfile,
} from './dockerfile-model.ts';
import { isNonRootImage, movingTag } from './image-names.ts';

function lastOf(file: Dockerfile, name: string): Instruction | undefined {
  for (const stage of finalStages(file)) {
    const found = file.instructions.findLast((instruction) => instruction.stage === stage && instruction.name === name);
    if (found !== undefined) return found;
  }
  return undefined;
}

function lastStageLine(file: Dockerfile): number {
  return file.stages.at(-1)?.line ?? 1;
}

function user(file: Dockerfile): Verdict {
  const later = file.instructions.findLast(({ name, text }) => name === 'ONBUILD' && /^USER\s/i.test(text));
  if (later !== undefined && isRootUser(later.text.replace(/^\S+\s+/, '').replace(/["']/g, '')))
    return finding([at(later, 'images that are made from this one run as root')]);
  const last = lastOf(file, 'USER');
  if (last === undefined && isNonRootImage(file.stages[finalStages(file).at(-1) ?? 0]?.base ?? '')) return PASS;
  if (last === undefined)
    return finding([
      { place: 'FROM', text: 'no USER: the base decides, and most bases decide for root', line: lastStageLine(file) },
    ]);
  const name = expanded(file, last).trim().replace(/["']/g, '');
  if (isRootUser(name)) return finding([at(last, `the last USER is ${name}`)]);
  const known = declared(file, last);
  const unset = Array.from(name.matchAll(/\$\{?(\w+)/g), ([, variable = '']) => variable).find(
    (variable) => !known.has(variable),
  );
  return unset === undefined
    ? PASS
    : finding([at(last, `the last USER is ${name}, and no ARG or ENV before it sets ${unset}: empty means root`)]);
}

function healthCheck(file: Dockerfile): Verdict {
  const last = lastOf(file, 'HEALTHCHECK');
  if (last === undefined) return finding([{ place: 'FROM', text: 'no HEALTHCHECK', line: lastStageLine(file) }]);
  return /^NONE\b/i.test(last.text.trim()) ? finding([at(last, 'the health check is switched off')]) : PASS;
}

/** The usual way to fill an image without a base: `FROM scratch`, and a local archive. */
function isRootArchive({ stages }: Dockerfile, stage: number, text: string): boolean {
  return stages[stage]?.base === 'scratch' && /^(?:--\S+\s+)*(?!\w+:\/\/)\S+\.t(?:ar(?:\.\w+)?|gz|xz|bz2)\s/.test(text);
}

/** Commands that close root's shell: patterns, one behind the other. */
const CLOSING: readonly (readonly RegExp[])[] = [
  [/\b(?:chsh|usermod)\b/g, /(?:nologin|\/false)\b/g, /\broot\b/g],
  [/\b(?:chsh|usermod)\b/g, /\broot\b/g, /nologin|\/false/g],
  [/\bsed\b/g, /root/g, /nologin|\/false/g, /\/etc\/passwd/g],
];

/** Single commands of a command line. */
function steps(command: string): readonly string[] {
  return command.split(/[&|;]/);
}

/** One expression for all of them would take time that grows with a power of the text. */
function inOrder(text: string, patterns: readonly RegExp[]): boolean {
  let at = 0;
  for (const pattern of patterns) {
    pattern.lastIndex = at;
    if (!pattern.test(text)) return false;
    at = pattern.lastIndex;
  }
  return true;
}

/** Root's shell in the image must be one without login. */
function rootShell(file: Dockerfile): Verdict {
  const stages = finalStages(file);
  const closed = file.instructions.some(
    ({ name, stage, text }) =>
      name === 'RUN' && stages.includes(stage) && steps(text).some((step) => CLOSING.some((way) => inOrder(step, way))),
  );
  const base = file.stages[stages.at(-1) ?? 0]?.base ?? '';
  if (closed || base === 'scratch' || /distroless/.test(base)) return PASS;
  return finding([{ place: 'FROM', text: "root keeps its base's login shell", line: lastStageLine(file) }]);
}

/** Images that the file names, but for its own stages. */
function images(file: Dockerfile): readonly (Evidence & { readonly image: string })[] {
  const names = new Set(file.stages.flatMap(({ name }, index) => [name, String(index)]));
  const bases = file.stages.map(({ base, line }) => ({ image: base, place: 'FROM', text: base, line }));
  const sources = file.instructions.flatMap((instruction) =>
    [...instruction.text.matchAll(/(?<!\S)--(?:from=|mount=(?:\S*,)?from=)([^\s,]+)/g)].map(([, image = '']) => ({
      ...{ image, place: instruction.name, text: `--from=${image}`, line: instruction.line },
    })),
  );
  return [...bases, ...sources].filter(({ image }) => !names.has(image.toLowerCase()));
}

function tag(file: Dockerfile): Verdict {
  return judge(
    images(file).flatMap(({ image, ...evidence }): readonly Evidence[] => {
      const moving = movingTag(image);
      return moving === undefined ? [] : [{ ...evidence, text: `${image} has ${moving}` }];
    }),
  );
}

const OWN: readonly DockerfileCheck[] = checksOf<DockerfileCheck>({
  'dockerfile.4.1': {
    severity: 'medium',
    title: 'The image runs as a non-root user',
    failure: 'The image runs as root',
    why: 'Root in a container needs one hole less to become root on the host.',
    fix: 'RUN useradd --system --uid 10001 app, and at the end USER 10001',
    evaluate: user,
  },
  'dockerfile.4.6': {
    severity: 'low',
    title: 'The image has a health check',
    failure: 'The image has no health check',
    why: 'Without one Docker calls a hung program healthy.',
    fix: 'HEALTHCHECK CMD …',
    evaluate: healthCheck,
  },
  'dockerfile.4.7': {
    severity: 'low',
    title: 'The package index is not updated alone',
    failure: 'The package index is updated alone',
    why: 'The layer is cached: later installs come from an old index, without fixes.',
    fix: 'RUN apt-get update && apt-get install -y … in one instruction',
    evaluate: run((command) => (isLoneUpdate(command) ? 'updates the index and installs nothing' : undefined)),
  },
  'dockerfile.4.9': {
    severity: 'low',
    title: 'COPY, not ADD',
    failure: 'ADD where COPY would do',
    why: 'ADD unpacks archives and fetches URLs, so what gets in depends on others.',
    fix: 'COPY; for URLs, curl with a checksum (or ADD --checksum=sha256:…)',
    evaluate: (file) =>
      each(file, ({ name, text, stage }) =>
        name !== 'ADD' || /^(--\S+\s+)*--checksum=/.test(text) || isRootArchive(file, stage, text)
          ? []
          : [`ADD ${text}`],
      ),
  },
  'dockerfile.tag': {
    severity: 'low',
    title: 'Bases are named by version',
    failure: 'Bases are not named by version',
    why: 'latest means another base tomorrow.',
    fix: 'FROM name:1.2 (best with @sha256:…)',
    evaluate: tag,
  },
  'dockerfile.shell': {
    severity: 'low',
    title: "root's login shell is closed",
    failure: "root's login shell is open",
    why: 'An intruder who can run su or login gets no shell as root.',
    fix: 'RUN usermod --shell /usr/sbin/nologin root',
    evaluate: rootShell,
  },
  'dockerfile.sudo': {
    severity: 'medium',
    title: 'No sudo in the image',
    failure: 'sudo in the image',
    why: 'It is a setuid program made for becoming root.',
    fix: 'Run commands that need root before USER; remove sudo.',
    evaluate: run((command) =>
      /\bNOPASSWD\b/.test(command)
        ? 'sudo without a password'
        : /(^|[;&|(]|\n)\s*sudo\s/.test(command) ||
            steps(command).some((step) => inOrder(step, [/\b(?:install|add)\b/g, /\ssudo(?=\s|$)/g]))
          ? 'installs or uses sudo'
          : undefined,
    ),
  },
});

/** In benchmark order. */
export const DOCKERFILE_CHECKS: readonly DockerfileCheck[] = inBenchmarkOrder([...OWN, ...DOCKERFILE_CODE]);

/**
 * Judges a Dockerfile. Throws E_DOCKERFILE for a file without instructions, which would otherwise get a good score, or one that is too
 * large.
 */
export function auditDockerfile(text: string, path: string): readonly CheckResult[] {
  if (text.length > MAX_CHARS || text.split('\n', MAX_LINES + 1).length > MAX_LINES)
    throw refused('this file is too large for a Dockerfile', path);
  const file = parseDockerfile(text);
  const long = file.instructions.find((one) => one.text.length + (one.document?.length ?? 0) > MAX_INSTRUCTION);
  if (long !== undefined) throw refused('this instruction is too long', `${path}:${long.line}`);
  if (file.stages.length === 0) throw refused('this is not a Dockerfile: no FROM', path);
  return DOCKERFILE_CHECKS.map((one) => resultOf(one, one.evaluate(file)));
}

function refused(message: string, path: string): DockerTlsError {
  const hints = [`docker build --check -f ${shellQuote(path.replace(/:\d+$/, ''))} .`];
  return new DockerTlsError('E_DOCKERFILE', message, { where: path, hints });
}
