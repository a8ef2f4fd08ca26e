/** Checks of a Dockerfile on secrets, commands and file modes. */

import { checksOf, finding, PASS } from '../check.ts';
import { type DockerfileCheck, each, run } from './dockerfile-check.ts';
import { finalStages, type Instruction, pairs } from './dockerfile-model.ts';
import { networkCode, unverified, unverifiedVariable } from './network-code.ts';
import { holdsPassword, isSecretName, isSecretPair, secretsIn, secretsOfCommand } from './secrets.ts';

const KEY_FILES =
  /(^|[\s/"'])(id_(rsa|dsa|ecdsa|ed25519)|\.env|\.npmrc|\.netrc|\.pgpass|credentials|[^\s/"']*(-key|_key|private)\.pem|[^\s/"']+\.(key|pfx|p12|jks))(?=$|[\s"',\]])/;

/** Commands of the build, and of the start. */
const COMMANDS = /^(?:RUN|CMD|ENTRYPOINT)$/;

/** `ships`: the instruction's stage becomes part of the image. A literal secret is exposed in the Dockerfile in any case. */
function secrets(instruction: Instruction, ships: boolean): readonly string[] {
  const { name, text, document = '' } = instruction;
  const where = ships ? 'in the image for all to read' : 'written out in this file, though not in the image';
  if (name === 'ENV' || name === 'ARG' || name === 'LABEL') {
    return pairs(name, text).flatMap(([key, value = '']): readonly string[] => {
      const written = name !== 'LABEL' && (isSecretPair(key, value) || holdsPassword(value));
      if (ships && name === 'ARG' && (written || (isSecretName(key) && !isSwitch(value))))
        return [`${key}: build arguments stay in the history of the image`];
      return written ? [`${key} is ${where}`] : secretsIn(value).map((kind) => `${key} holds ${kind}`);
    });
  }
  if (COMMANDS.test(name)) return secretsOfCommand(text);
  if (name !== 'COPY' && name !== 'ADD') return secretsIn(text).map((kind) => `holds ${kind}`);
  if (!ships) return secretsIn(`${text}${document}`).map((kind) => `holds ${kind}`);
  const values = secretsIn(`${text}${document}`).map((kind) => `holds ${kind}`);
  // With --from it is a file of another stage, for instance a public key of a package.
  const found = KEY_FILES.exec(text.replace(/(?<!\S)--\S+\s+/g, ''));
  return [...values, ...(found === null || document !== '' ? [] : [`${found[2]} looks like a secret`])];
}

/** A build argument that switches something. */
function isSwitch(value: string): boolean {
  return /^["']?(?:true|false|yes|no|0|1)["']?$/i.test(value);
}

/** Modes that give write access to every user, or the rights of the owner to whoever starts the program. */
function modeWords(mode: string): readonly string[] {
  const digits = /^0?([0-7]?)[0-7][0-7]([0-7])$/.exec(mode);
  if (digits !== null) {
    const [special, others] = [Number(digits[1] || 0), Number(digits[2])];
    if ((special & 4) !== 0) return [`mode ${mode}: setuid`];
    return (others & 2) !== 0 && (special & 1) === 0 ? [`mode ${mode}: every user may write`] : [];
  }
  if (/(?:^|,)[uga]*\+[rwxX]*s/.test(mode) && !/(?:^|,)g\+/.test(mode)) return [`mode ${mode}: setuid`];
  return /(?:^|,)[ug]*[oa][uga]*[+=][rxX]*w/.test(mode) ? [`mode ${mode}: every user may write`] : [];
}

function modes({ name, text }: Instruction): readonly string[] {
  if (name === 'COPY' || name === 'ADD') {
    const mode = /(?<!\S)--chmod=(\S+)/.exec(text)?.[1];
    return mode === undefined ? [] : modeWords(mode);
  }
  if (name !== 'RUN') return [];
  const found = [...text.matchAll(/\bchmod\s+(?:-[A-Za-z-]+\s+)*([0-7]{3,4}|[ugoa]*[-+=][-+=rwxXstugoa,]*)(?=\s)/g)];
  return [...new Set(found.flatMap(([, mode = '']) => modeWords(mode)))];
}

function password(command: string): string | undefined {
  const given = /(?:^|[\s"'])([\w.-]+):([^\s"'|<>]+)["']?\s*\|\s*(?:sudo\s+)?(?:\/\S*\/)?chpasswd\b/.exec(command);
  if (given !== null && (given[1] === 'root' || !/^\$/.test(given[2] ?? ''))) return `sets the password of ${given[1]}`;
  if (/\bchpasswd\b[^;&|]{0,200}<<<?/.test(command)) return 'sets a password';
  if (
    /\b(?:useradd|usermod)\b[^;&|\n]{0,400}\s(?:-[a-zA-Z]{0,20}p|--password)[\s=](?!["']?[!*]["']?(?:\s|$))/.test(
      command,
    )
  )
    return 'sets the password of a user';
  if (/\bpasswd\s+(?:-d|--delete)\b/.test(command)) return 'removes a password';
  return /\bpasswd\b[^;&|]{0,200}\s--stdin\b|\|\s*passwd\s+\w+/.test(command) ? 'sets a password' : undefined;
}

export const DOCKERFILE_CODE: readonly DockerfileCheck[] = checksOf<DockerfileCheck>({
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
  'dockerfile.build': {
    severity: 'medium',
    title: 'The build has no rights on the host',
    failure: 'The build has rights on the host',
    why: 'Whatever the build fetches and runs can reach the host.',
    fix: 'Take --security=insecure, --network=host and --device out of RUN.',
    evaluate: (file) =>
      each(file, ({ name, text }) =>
        name === 'RUN'
          ? [
              ...(/^(?:--\S+\s+)+/.exec(text)?.[0].matchAll(/--(?:security=insecure|network=host|device=\S+)(?=\s)/g) ??
                []),
            ].map(([option]) => `RUN ${option}`)
          : [],
      ),
  },
  'dockerfile.modes': {
    severity: 'medium',
    title: 'Files are not writable for all, nor setuid',
    failure: 'Files are writable for all, or setuid',
    why: 'Every process in the container can replace such a program, or become its owner.',
    fix: 'chmod 755 (or 644), and --chown for the user that has to write',
    evaluate: (file) => each(file, modes),
  },
  'dockerfile.password': {
    severity: 'medium',
    title: 'No user has a password from the build',
    failure: 'A user has a password from the build',
    why: 'It is in the history of the image, and the same in every container.',
    fix: 'Leave accounts locked; USER needs no password.',
    evaluate: run(password),
  },
  'dockerfile.pipe': {
    severity: 'medium',
    title: 'Code from the network is verified before it runs',
    failure: 'Code from the network is run unseen',
    why: 'A server can send different code tomorrow.',
    fix: 'Download to a file, verify a checksum or signature, then run it. ADD --checksum=sha256:…',
    evaluate: (file) =>
      each(file, ({ name, text }) => {
        if (
          name === 'ADD' &&
          /(?<!\S)https?:\/\//.test(text) &&
          !/(?<!\S)--checksum=|[?&]commit=|#[0-9a-f]{40}(?=\s)/.test(text)
        )
          return ['ADD from an address, without --checksum'];
        const found = COMMANDS.test(name) ? networkCode(text) : undefined;
        return found === undefined ? [] : [found];
      }),
  },
  'dockerfile.syntax': {
    severity: 'medium',
    title: "The build is read by Docker's own frontend",
    failure: 'A foreign frontend reads the file',
    why: 'The image of a `# syntax=` line decides what the build does.',
    fix: '# syntax=docker/dockerfile:1',
    evaluate: ({ syntax }) => {
      if (syntax === undefined || /^(?:docker\.io\/)?docker\/dockerfile(?:-upstream)?(?:[:@]|$)/.test(syntax.image))
        return PASS;
      return finding([{ place: '# syntax', text: `${syntax.image} reads the file`, line: syntax.line }]);
    },
  },
  'dockerfile.verify': {
    severity: 'medium',
    title: 'Verification stays on',
    failure: 'Verification is switched off',
    why: 'Anyone on the way can answer in the place of the server.',
    fix: 'Take the option out, and add the CA or signing key that is missing.',
    evaluate: (file) =>
      each(file, ({ name, text }) => {
        if (name === 'ENV' || name === 'ARG')
          return pairs(name, text).flatMap(([key, value = '']) => unverifiedVariable(key, value));
        return COMMANDS.test(name) ? unverified(text).map((found) => `uses ${found}`) : [];
      }),
  },
});
