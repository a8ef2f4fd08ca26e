/** Checks of a Dockerfile. IDs contain the benchmark's numbers where one exists: `dockerfile.4.9` is 4.9 for an image before its build. */

import { shellQuote } from '../../../../core/domain/quote.ts';
import { DockerTlsError } from '../../../../errors/errors.ts';
import { type Check, checksOf, type Evidence, finding, judge, PASS, type Verdict } from '../check.ts';
import { isLoneUpdate, isRootUser } from '../checks/images.ts';
import { type CheckResult, resultOf } from '../evaluate.ts';
import {
  type Dockerfile,
  expanded,
  finalStages,
  type Instruction,
  isDeclared,
  MAX_LINES,
  pairs,
  parseDockerfile,
} from './dockerfile-model.ts';
import { holdsPassword, isSecretName, isWrittenOut } from './secrets.ts';

export type DockerfileCheck = Omit<Check, 'evaluate'> & { readonly evaluate: (file: Dockerfile) => Verdict };

function at({ line, name }: Instruction, text: string): Evidence {
  return { place: name, text, line };
}

/** The instruction inside ONBUILD; it runs in derived images. */
function triggered(instruction: Instruction): Instruction {
  const found = instruction.name === 'ONBUILD' ? /^([A-Za-z]+)\s+(.*)$/s.exec(instruction.text) : null;
  return found === null ? instruction : { ...instruction, name: (found[1] ?? '').toUpperCase(), text: found[2] ?? '' };
}

function each(file: Dockerfile, wrong: (instruction: Instruction) => readonly string[]): Verdict {
  return judge(
    file.instructions.flatMap((instruction) => wrong(triggered(instruction)).map((text) => at(instruction, text))),
  );
}

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
  const last = lastOf(file, 'USER');
  if (last === undefined)
    return finding([
      { place: 'FROM', text: 'no USER: the base decides, and most bases decide for root', line: lastStageLine(file) },
    ]);
  const name = expanded(file, last).trim().replace(/["']/g, '');
  if (isRootUser(name)) return finding([at(last, `the last USER is ${name}`)]);
  const unset = Array.from(name.matchAll(/\$\{?(\w+)/g), ([, variable = '']) => variable).find(
    (variable) => !isDeclared(file, last, variable),
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

/** Root's shell in the image must be one without login. */
function rootShell(file: Dockerfile): Verdict {
  const stages = finalStages(file);
  const closed = file.instructions.some(
    ({ name, stage, text }) =>
      name === 'RUN' &&
      stages.includes(stage) &&
      /\b(chsh|usermod)\b[^&|;]*(nologin|\/false)\b[^&|;]*\broot\b|\b(chsh|usermod)\b[^&|;]*\broot\b[^&|;]*(nologin|\/false)|\bsed\b[^&|;]*root[^&|;]*(nologin|\/false)[^&|;]*\/etc\/passwd/s.test(
        text,
      ),
  );
  const base = file.stages[stages.at(-1) ?? 0]?.base ?? '';
  if (closed || base === 'scratch' || /distroless/.test(base)) return PASS;
  return finding([{ place: 'FROM', text: "root keeps its base's login shell", line: lastStageLine(file) }]);
}

const KEY_FILES =
  /(^|[\s/"'])(id_(rsa|dsa|ecdsa|ed25519)|\.env|\.npmrc|\.netrc|\.pgpass|credentials|[^\s/"']*(-key|_key|private)\.pem|[^\s/"']+\.(key|pfx|p12|jks))(?=$|[\s"',\]])/;

/** `ships`: the instruction's stage becomes part of the image. A literal secret is exposed in the Dockerfile in any case. */
function secrets({ name, text }: Instruction, ships: boolean): readonly string[] {
  if (name === 'ENV' || name === 'ARG') {
    return pairs(name, text).flatMap(([key, value = '']): readonly string[] => {
      const written = (isSecretName(key) && isWrittenOut(value)) || holdsPassword(value);
      if (ships && written && name === 'ENV') return [`${key} is in the image for all to read`];
      if (ships && name === 'ARG' && (written || isSecretName(key)))
        return [`${key}: build arguments stay in the history of the image`];
      return written ? [`${key} is written out in this file, though not in the image`] : [];
    });
  }
  if ((name !== 'COPY' && name !== 'ADD') || !ships) return [];
  if (name === 'ADD' && text.split(/\s+/).some(holdsPassword)) return ['the password in its address is written out'];
  const found = KEY_FILES.exec(text.replace(/(?<!\S)--\S+\s+/g, ''));
  return found === null ? [] : [`${found[2]} looks like a secret`];
}

function tag(file: Dockerfile): Verdict {
  const names = new Set(file.stages.map(({ name }) => name).filter((name) => name !== ''));
  return judge(
    file.stages.flatMap(({ base, line }, index): readonly Evidence[] => {
      const earlier = file.stages.slice(0, index).some(({ name }) => name !== '' && name === base.toLowerCase());
      if (
        earlier ||
        names.has(base.toLowerCase()) ||
        base === 'scratch' ||
        base.includes('$') ||
        base.includes('@sha256:')
      )
        return [];
      const version = /:([^/:]+)$/.exec(base)?.[1];
      if (version !== undefined && version !== 'latest') return [];
      return [{ place: 'FROM', text: `${base} has ${version === undefined ? 'no tag' : 'the tag latest'}`, line }];
    }),
  );
}

function run(wrong: (command: string) => string | undefined): DockerfileCheck['evaluate'] {
  return (file) =>
    each(file, ({ name, text }) => {
      const found = name === 'RUN' ? wrong(text) : undefined;
      return found === undefined ? [] : [found];
    });
}

export const DOCKERFILE_CHECKS: readonly DockerfileCheck[] = checksOf<DockerfileCheck>({
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
      each(file, ({ name, text }) => (name !== 'ADD' || /^(--\S+\s+)*--checksum=/.test(text) ? [] : [`ADD ${text}`])),
  },
  'dockerfile.4.10': {
    severity: 'high',
    title: 'No secrets in the image',
    failure: 'Secrets in the image',
    why: 'Anyone who can pull the image reads them, in every layer and in its history.',
    fix: 'RUN --mount=type=secret,id=… for builds; environment or files at run time',
    evaluate: (file) => {
      const shipped = finalStages(file);
      return each(file, (instruction) => secrets(instruction, shipped.includes(instruction.stage)));
    },
  },
  'dockerfile.5.28': {
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
      /(^|[;&|(]|\n)\s*sudo\s/.test(command) || /\b(install|add)\b[^;&|]*\ssudo(?=\s|$)/.test(command)
        ? 'installs or uses sudo'
        : undefined,
    ),
  },
  'dockerfile.pipe': {
    severity: 'medium',
    title: 'Code from the network is verified before it runs',
    failure: 'A script from the network is run unseen',
    why: 'A server can send different code tomorrow.',
    fix: 'Download to a file, verify a checksum or signature, then run it.',
    evaluate: run((command) =>
      /\b(curl|wget)\b[^;&]*\|\s*(sudo\s+)?((\/usr)?\/bin\/)?(env\s+)?(ba|da|z|k|a)?sh\b|\b(ba|da|z)?sh\s+(-c\s+)?["']?(<\(|\$\()\s*(curl|wget)\b/.test(
        command,
      )
        ? 'runs what curl or wget fetched'
        : undefined,
    ),
  },
});

/**
 * Judges a Dockerfile. Throws E_DOCKERFILE for a file without instructions, which would otherwise get a good score, or one that is too
 * large.
 */
export function auditDockerfile(text: string, path: string): readonly CheckResult[] {
  if (text.split('\n', MAX_LINES + 1).length > MAX_LINES)
    throw refused('this file is too large for a Dockerfile', path);
  const file = parseDockerfile(text);
  if (file.stages.length === 0) throw refused('this is not a Dockerfile: no FROM', path);
  return DOCKERFILE_CHECKS.map((one) => resultOf(one, one.evaluate(file)));
}

function refused(message: string, path: string): DockerTlsError {
  const hints = [`docker build --check -f ${shellQuote(path)} .`];
  return new DockerTlsError('E_DOCKERFILE', message, { where: path, hints });
}
