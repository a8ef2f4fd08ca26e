import { describe, expect, test } from 'vitest';
import { auditDockerfile, DOCKERFILE_CHECKS } from '../../../../src/features/audit/domain/files/dockerfile.ts';
import { isSecretName, isWrittenOut } from '../../../../src/features/audit/domain/files/secrets.ts';

/** A variable in shell syntax. */
function braced(text: string): string {
  return ['$', '{', text, '}'].join('');
}

function found(text: string, id: string): readonly string[] {
  const result = auditDockerfile(text, 'Dockerfile').find((one) => one.id === `dockerfile.${id}`);
  return result?.state === 'finding' ? result.evidence.map(({ line, text: words }) => `${line} ${words}`) : [];
}

const GOOD = `# syntax=docker/dockerfile:1
FROM golang:1.22 AS build
COPY . /src
RUN --mount=type=secret,id=token go build -o /app /src

FROM debian:12.5-slim
RUN apt-get update && apt-get install -y ca-certificates \\
    && usermod --shell /usr/sbin/nologin root
COPY --from=build /app /app
USER 10001:10001
HEALTHCHECK CMD ["/app", "ping"]
CMD ["/app"]
`;

const BAD = `# syntax=example.com/frontend
FROM debian
ARG GITHUB_TOKEN
ENV DB_PASSWORD=hunter2 PORT=80
ADD https://example.com/x.tar.gz /
RUN apt-get update
RUN apt-get install -y sudo
RUN curl -sSL https://example.com/install.sh \\
    | sudo bash
COPY id_rsa /root/.ssh/id_rsa
USER root
HEALTHCHECK NONE
RUN --network=host chmod 777 /app && echo root:x | chpasswd && curl -k https://example.com/y -o y
`;

test('every check passes on the good file and fails on the bad one', () => {
  expect(auditDockerfile(GOOD, 'd').filter(({ state }) => state !== 'pass')).toEqual([]);
  expect(auditDockerfile(BAD, 'd').filter(({ state }) => state !== 'finding')).toEqual([]);
});

describe('what is found, and where', () => {
  test.each([
    ['4.1', BAD, ['11 the last USER is root']],
    ['4.6', BAD, ['12 the health check is switched off']],
    ['4.7', BAD, ['6 updates the index and installs nothing']],
    ['4.9', BAD, ['5 ADD https://example.com/x.tar.gz /']],
    [
      '4.10',
      BAD,
      [
        '3 GITHUB_TOKEN: build arguments stay in the history of the image',
        '4 DB_PASSWORD is in the image for all to read',
        '10 id_rsa looks like a secret',
      ],
    ],
    ['pipe', BAD, ['5 ADD from an address, without --checksum', '8 runs what curl or wget fetched']],
    ['sudo', BAD, ['7 installs or uses sudo', '8 installs or uses sudo']],
    [
      'tag',
      'FROM a:latest AS x\nFROM x\nFROM scratch\nFROM b@sha256:1\nFROM reg:5000/c\n',
      ['1 a:latest has the tag latest', '5 reg:5000/c has no tag'],
    ],
    ['4.1', 'FROM a:1\nUSER app\nFROM a:1\n', ['3 no USER: the base decides, and most bases decide for root']],
    ['4.1', 'FROM a:1 AS base\nUSER app\nFROM base\n', []],
    ['4.1', 'FROM a:1\nUSER app\nUSER 0\n', ['3 the last USER is 0']],
    [
      '4.7',
      'FROM a:1\nRUN <<EOF\napt-get update\napt-get install -y x\nEOF\nRUN <<-END\n\tapt-get update\n\tEND\n',
      ['6 updates the index and installs nothing'],
    ],
    [
      'pipe',
      'FROM a:1\nRUN bash -c "$(curl -fsSL https://x)"\nRUN curl -o f https://x && sh f\n',
      ['2 runs what curl or wget fetched', '3 runs f, fetched without a checksum or signature'],
    ],
    [
      '4.10',
      `FROM a:1
ENV TOKEN_FILE=/run/x SECRET=${braced('SECRET')} A=1
ENV apiKey a b
ARG VERSION
`,
      ['3 apiKey is in the image for all to read'],
    ],
    [
      '4.9',
      'FROM a:1\nADD --chown=1:1 --checksum=sha256:0 https://x/y /\nADD --chown=1:1 b /\n',
      ['3 ADD --chown=1:1 b /'],
    ],
    [
      '4.10',
      'FROM a:1 AS build\nARG TOKEN\nENV NPM_TOKEN=abc\nCOPY id_rsa /\nFROM b:1\nENV DATABASE_URL=mysql://u:p@h/d\nCOPY --from=build /x /x\n',
      [
        '3 NPM_TOKEN is written out in this file, though not in the image',
        '6 DATABASE_URL is in the image for all to read',
      ],
    ],
    ['4.9', '# escape=`\nFROM a:1\nRUN x `\n  y\nADD f /\n', ['5 ADD f /']],
    ['4.9', 'FROM a:1\n# comment\n\n  add f /\n', ['4 ADD f /']],
    ['shell', 'FROM gcr.io/distroless/base:1\n', []],
    ['shell', "FROM a:1\nRUN sed -i 's#^root:.*#root:x:0:0::/root:/sbin/nologin#' /etc/passwd\n", []],
  ])('%s in %j', (id, text, lines) => {
    expect(found(text, id)).toEqual(lines);
  });

  test('the value of a secret is never shown', () => {
    expect(JSON.stringify(auditDockerfile(BAD, 'd'))).not.toContain('hunter2');
  });

  test.each([
    '',
    '\n\n',
    '\\',
    'RUN <<EOF\nnever ends',
    'FROM',
    `RUN ${'a '.repeat(50_000)}`,
    `RUN ${'[trusted '.repeat(20_000)}`,
    `RUN ${'curl -'.repeat(20_000)}`,
    `RUN ${'sh -'.repeat(20_000)}`,
    `RUN ${'useradd -'.repeat(20_000)}`,
    `RUN ${'A="'.repeat(20_000)}`,
    `ENV A_TOKEN=${'a://b:'.repeat(20_000)}`,
    `COPY ${'-'.repeat(100_000)}`,
    '#'.repeat(100),
    'FROM a\\\n\\\n\\',
  ])('%# is no crash', (text) => {
    expect(auditDockerfile(`FROM a:1\n${text}`, 'd')).toHaveLength(DOCKERFILE_CHECKS.length);
  });

  test('an instruction that no build has is refused', () => {
    const refused = (text: string) => () => auditDockerfile(`FROM a:1\n${text}`, 'd');
    const error = expect.objectContaining({ code: 'E_DOCKERFILE', where: 'd:2' });
    expect(refused(`RUN ${'a '.repeat(200_000)}`)).toThrow(error);
    expect(refused(`COPY <<E /x\n${`${'a'.repeat(100)}\n`.repeat(3000)}E`)).toThrow(error);
  });

  test('an address with a password is a secret, and is not handed on', () => {
    const text =
      'FROM a:1\nADD https://bob:hunter2@example.com/x /x\nADD --chown=1:1 https://ghp_0123456789abcdefghij@example.com/y http://a:80/z /y\n';
    expect(found(text, '4.10')).toEqual([
      expect.toSay('holds-password-address', '2'),
      expect.toSay('holds-token-address', '3'),
    ]);
    expect(found(text, '4.9')).toEqual([
      '2 ADD https://bob:***@example.com/x /x',
      '3 ADD --chown=1:1 https://***@example.com/y http://a:80/z /y',
    ]);
  });

  test('what stands past the last line that is looked at does not pass', () => {
    const text = `FROM a:1\n${'\n'.repeat(20_000)}USER root\n`;
    expect(() => auditDockerfile(text, 'd')).toThrow(/too large/);
  });

  test.each(['', 'services:\n  web: {}\n', '# FROM a\n', 'FROM'])('%j is no Dockerfile', (text) => {
    expect(() => auditDockerfile(text, 'd')).toThrow(expect.objectContaining({ code: 'E_DOCKERFILE' }));
  });

  test.each([
    'RUN bash -c "cat <<<word"',
    'RUN echo $((1<<SHIFT))',
    'RUN echo "<<EOF"',
    "RUN sh -c 'cat <<EOF'",
    'RUN <<EOF never ends',
    '\n# escape=`\nRUN x \\\n  && y',
  ])('%j hides nothing that follows', (line) => {
    const text = `FROM a:1\n${line}\nENV DB_PASSWORD=hunter2\nUSER app\n`;
    expect(found(text, '4.10')).toEqual([expect.stringContaining('DB_PASSWORD')]);
    expect(found(text, '4.1')).toEqual([]);
  });

  test.each(['<<EOF', '<<-EOF', '<<"EOF"', "3<<'EOF' sh", 'cat <<EOF|sh', '<<EOF >"/a b"'])(
    'RUN %s holds text',
    (words) => {
      expect(found(`FROM a:1\nRUN ${words}\nUSER root\nEOF\nUSER app\n`, '4.1')).toEqual([]);
    },
  );

  test.each([
    ['# escape=`\nFROM a:1\nRUN x `\n  && sudo y\n', ['3 installs or uses sudo']],
    ['# a comment\n# escape=`\nFROM a:1\nRUN x \\\n  && sudo y\n', ['4 installs or uses sudo']],
  ])('%j: the escape directive counts at the top only', (text, lines) => {
    expect(found(text, 'sudo')).toEqual(lines);
  });

  test.each([
    ['4.1', 'FROM a:1\nARG APP=root\nUSER $APP\n', ['3 the last USER is root']],
    ['4.1', 'FROM a:1\nENV APP=app\nARG APP=root\nUSER $APP\n', []],
    ['4.1', `FROM a:1 AS x\nENV ID=0\nFROM x\nENV WHO="$ID"\nuser ${braced('WHO')}:5\n`, ['5 the last USER is 0:5']],
    ['4.1', 'ARG ID=0\nFROM a:1\nARG ID\nUSER $ID\n', ['4 the last USER is 0']],
    [
      '4.1',
      'ARG ID=1\nFROM a:1\nUSER $ID\nENV ID=1\n',
      ['3 the last USER is $ID, and no ARG or ENV before it sets ID: empty means root'],
    ],
    [
      '4.1',
      'FROM a:1 AS x\nARG ID=1\nFROM x\nUSER $ID\n',
      ['4 the last USER is $ID, and no ARG or ENV before it sets ID: empty means root'],
    ],
    [
      '4.1',
      `FROM a:1\nARG ID=1\nUSER $ID:${braced('GRP')}\n`,
      [`3 the last USER is 1:${braced('GRP')}, and no ARG or ENV before it sets GRP: empty means root`],
    ],
    ['4.1', 'FROM a:1\nARG ID\nUSER $ID\n', []],
    ['4.1', 'FROM a:1 AS x\nENV ID=7\nFROM x\nUSER $ID\n', []],
    ['4.1', `FROM a:1\nARG ID=app\nUSER ${braced('ID:-0')}\n`, []],
    [
      'tag',
      `ARG TAG=latest\nARG BASE="debian:$TAG"\nFROM ${braced('BASE')} AS x\nFROM x\n`,
      ['3 debian:latest has the tag latest'],
    ],
    ['tag', `ARG BASE\nFROM $BASE\nFROM ${braced('BASE:-a')}\n`, ['3 a has no tag']],
    ['4.10', 'FROM a:1\nARG PORT NPM_TOKEN=abc\n', ['2 NPM_TOKEN: build arguments stay in the history of the image']],
  ])('%s in %j: variables have the values that the file gives them', (id, text, lines) => {
    expect(found(text, id)).toEqual(lines);
  });

  test('variables that double, and many of them, end soon', () => {
    const doubled = Array.from({ length: 60 }, () => 'ARG A=$A$A').join('\n');
    const many = Array.from({ length: 9000 }, (_, index) => `ENV A${index}=$A${index - 1}x`).join('\n');
    expect(found(`ARG A=x\n${doubled}\nFROM $A\n${doubled}\n${many}\nUSER $A8999\n`, '4.1')).toHaveLength(1);
  });

  test('two backslashes at the end of a line continue nothing', () => {
    expect(found('FROM a:1\nUSER app\nRUN echo C:\\\\\nUSER root\n', '4.1')).toEqual([
      expect.toSay('last-user-root', '4'),
    ]);
    expect(found('# escape=`\nFROM a:1\nRUN echo ``\nUSER root\n', '4.1')).toEqual([
      expect.toSay('last-user-root', '4'),
    ]);
  });

  test('ONBUILD ends in images too, and a user counts without its quotes and by its default', () => {
    const text =
      'FROM a:1\nONBUILD ADD . /x\nONBUILD ENV API_TOKEN=abc\nONBUILD RUN sudo x\nONBUILD USER root\nUSER app\n';
    expect(found(text, '4.9')).toEqual(['2 ADD . /x']);
    expect(found(text, '4.10')).toEqual([expect.toSay('image-all-read', '3', 'API_TOKEN')]);
    expect(found(text, 'sudo')).toEqual([expect.toSay('installs-uses-sudo', '4')]);
    expect(found(text, '4.1')).toEqual([expect.toSay('images-made-run-root', '5')]);
    expect(found('FROM a:1\nUSER "root"\n', '4.1')).toEqual([expect.toSay('last-user-root', '2')]);
    expect(found(`FROM a:1\nUSER ${braced('APP:-0')}:0\n`, '4.1')).toEqual(['2 the last USER is 0:0']);
  });
});

describe('names of secrets', () => {
  test.each([
    'NO_REPLY_PASSWORD',
    'noReplyPassword',
    'PGPASSWORD',
    'AUTHTOKEN',
    'CLIENTSECRET',
    'PASSWORD',
    'DB_PASSWORD',
    'db.password',
    'githubToken',
    'AWS_SECRET_ACCESS_KEY',
    'apiKey',
    'API-KEY',
    'MYSQL_ROOT_PASSWORD',
    'PASSWD',
  ])('%s is one', (name) => {
    expect(isSecretName(name)).toBe(true);
  });
  test.each([
    'PASSWORD_FILE',
    'TOKEN_URL',
    'SECRET_NAME',
    'PATH',
    'COMPASS',
    'TOKENIZER',
    'MONKEY',
    'KEYBOARD',
    'BYPASS',
    'SECRETARY',
  ])('%s is none', (name) => {
    expect(isSecretName(name)).toBe(false);
  });
  test.each([
    ['x', true],
    ['""', false],
    ['$TOKEN', false],
    [braced('TOKEN'), false],
    [braced('TOKEN:?missing'), false],
    ['a$b', true],
    [braced('TOKEN:-default'), true],
  ] as const)('%j is written out: %s', (value, expected) => {
    expect(isWrittenOut(value)).toBe(expected);
  });
});
