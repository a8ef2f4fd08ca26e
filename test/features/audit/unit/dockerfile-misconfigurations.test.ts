/** Misconfigured Dockerfiles beside clean twins: what is found, missed and falsely reported. */

import { expect, test } from 'vitest';
import { auditDockerfile } from '../../../../src/features/audit/domain/files/dockerfile.ts';

/** A Dockerfile that passes every check, with lines of a row in it. */
function dockerfile(lines: string): string {
  if (lines.startsWith('#') || lines.startsWith('FROM')) return `${lines}\n${END}`;
  return `FROM debian:12.5-slim\nRUN usermod --shell /usr/sbin/nologin root\n${lines}\n${/^USER/m.test(lines) ? 'HEALTHCHECK CMD ["/app"]' : END}`;
}

const END = 'USER 10001:10001\nHEALTHCHECK CMD ["/app"]\n';
const AWS = `AKIA${'QRSTUVWXYZ234567'}`;
const GITHUB = `ghp_${'0123456789abcdefghijABCDEFGHIJ0123456789'}`;
const PEM = '-----BEGIN PRIVATE' + ' KEY-----';
const SHELL = 'RUN usermod --shell /usr/sbin/nologin root';

/** Check, misconfigured lines, clean lines. */
const CASES: readonly (readonly [string, string, string])[] = [
  // secrets by name
  ['4.10', 'ENV DB_PASSWORD=hunter2', 'ENV DB_PASSWORD_FILE=/run/secrets/db'],
  ['4.10', 'ENV API_KEY abc123', 'ENV API_KEY_HEADER X-Key'],
  ['4.10', 'ARG NPM_TOKEN', 'RUN --mount=type=secret,id=npm_token npm ci'],
  ['4.10', 'ARG DB_PASS=postgres', 'ARG DB_USER=postgres'],
  ['4.10', 'RUN export AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI && ./fetch', 'RUN export AWS_REGION=eu-west-1 && ./fetch'],
  ['4.10', 'RUN GITHUB_TOKEN=abcdef make', 'RUN --mount=type=secret,id=t GITHUB_TOKEN=$(cat /run/secrets/t) make'],
  [
    '4.10',
    'RUN <<EOF\nexport SECRET_KEY=abcdef\nmake\nEOF',
    'RUN <<EOF\nexport SECRET_KEY="$(cat /run/secrets/k)"\nmake\nEOF',
  ],
  ['4.10', 'ONBUILD ENV API_TOKEN=abc', 'ONBUILD ENV API_TOKEN_TTL=60'],
  ['4.10', 'ENV JWT_SECRET=abcdef', 'ENV JWT_SECRET=/run/secrets/jwt ALLOW_EMPTY_PASSWORD=yes RPC_SECRET_PORT=80'],
  ['4.10', 'ENV API_TOKEN=abcdef', 'ENV API_TOKEN="<your token>" OTHER_TOKEN={{token}} TOKEN_AUTH=true'],
  // secrets by value
  ['4.10', `ENV AWS_ID=${AWS}`, 'ENV AWS_ID=AKIAIOSFODNN7EXAMPLE'],
  ['4.10', `LABEL ci="${GITHUB}"`, 'LABEL ci="github"'],
  ['4.10', `ARG HELPER=${GITHUB}`, 'ARG HELPER=ghp_helper'],
  ['4.10', `RUN git clone https://${GITHUB}@github.com/a/b`, 'RUN git clone https://github.com/a/b'],
  ['4.10', 'RUN git clone https://bob:hunter2@git.example.com/a', 'RUN git clone ssh://git@git.example.com/a'],
  ['4.10', `COPY <<EOF /key\n${PEM}\nabc\nEOF`, 'COPY <<EOF /key.pub\n-----BEGIN PUBLIC KEY-----\nabc\nEOF'],
  ['4.10', `RUN echo "${PEM}" > /k`, 'RUN grep -q "BEGIN CERTIFICATE" /etc/ssl/cert.pem'],
  ['4.10', `CMD ["app", "--token=${GITHUB}"]`, 'CMD ["app", "--token-file=/run/secrets/t"]'],
  ['4.10', 'ENV DATABASE_URL=postgres://u:hunter2@db/x', 'ENV DATABASE_URL=postgres://u@db/x'],
  [
    '4.10',
    'ENV HOOK=https://hooks.slack.com/services/T000/B000/abcdefghijklmnop',
    'ENV HOOK=https://hooks.example.com/services/T000',
  ],
  ['4.10', 'COPY id_rsa /root/.ssh/id_rsa', 'COPY id_rsa.pub /root/.ssh/authorized_keys'],
  ['4.10', 'COPY .npmrc ./', 'COPY package.json ./'],
  // code from the network
  ['pipe', 'RUN curl -sSL https://x.example/i.sh | sh', 'RUN curl -sSL https://x.example/i.json | jq .'],
  ['pipe', 'RUN curl -sSL https://x.example/i.sh | sudo -E bash -', 'RUN curl -sSL https://x.example/i.tgz | tar xz'],
  [
    'pipe',
    'RUN wget -qO- https://x.example/i.py | python3 -',
    'RUN wget -qO- https://x.example/i.json | python3 -m json.tool',
  ],
  ['pipe', 'RUN curl https://x.example/i.pl | perl', "RUN curl https://x.example/i.txt | perl -ne 'print'"],
  ['pipe', 'RUN curl https://x.example/i.js | node', "RUN curl https://x.example/i.json | node -e 'read()'"],
  ['pipe', 'RUN curl https://x.example/i.rb | ruby', 'RUN curl https://x.example/i.rb | sha256sum'],
  ['pipe', 'RUN curl https://x.example/i.sh | tee /i.sh | bash', 'RUN curl https://x.example/i.sh | tee /i.txt'],
  ['pipe', 'RUN eval "$(curl -fsSL https://x.example/i.sh)"', 'RUN echo "$(curl -fsSL https://x.example/version)"'],
  ['pipe', 'RUN bash -c "$(wget -qO- https://x.example/i.sh)"', 'RUN bash -c "wget -q https://x.example/i.txt"'],
  [
    'pipe',
    'SHELL ["/bin/bash", "-c"]\nRUN . <(curl -s https://x.example/env)',
    'SHELL ["/bin/bash", "-c"]\nRUN . /etc/profile',
  ],
  ['pipe', 'RUN source <(curl -s https://x.example/env)', 'RUN source ./env'],
  [
    'pipe',
    'RUN curl -o i.sh https://x.example/i.sh && sh i.sh',
    'RUN curl -o i.sh https://x.example/i.sh && echo "abc i.sh" | sha256sum -c && sh i.sh',
  ],
  [
    'pipe',
    'RUN wget https://x.example/setup.py && python3 setup.py',
    'RUN wget https://x.example/data.csv && python3 load.py',
  ],
  [
    'pipe',
    'RUN curl https://x.example/i > /tmp/i && chmod +x /tmp/i && /tmp/i',
    'RUN curl https://x.example/i > /tmp/i && gpg --verify /tmp/i.sig /tmp/i && /tmp/i',
  ],
  [
    'pipe',
    'RUN wget -O run.sh https://x.example/i && chmod +x run.sh && ./run.sh',
    'RUN wget -O notes.md https://x.example/i && ./run.sh',
  ],
  [
    'pipe',
    'RUN curl -s https://x.example/i.sh | VERSION=1 bash -s -- --yes',
    'RUN curl -s https://x.example/i.sql | psql -f -',
  ],
  ['pipe', 'CMD curl -s https://x.example/i.sh | sh', 'CMD curl -s https://x.example/health'],
  [
    'pipe',
    'CMD ["sh", "-c", "curl -s https://x.example/i.sh | sh"]',
    'CMD ["sh", "-c", "curl -s https://x.example/i | wc -l"]',
  ],
  ['pipe', 'ADD https://x.example/app /app', 'ADD --checksum=sha256:abc https://x.example/app /app'],
  // verification switched off
  ['verify', 'RUN curl -k https://x.example/a -o a', 'RUN curl -K curl.conf https://x.example/a -o a'],
  ['verify', 'RUN curl -fsSLk https://x.example/a', 'RUN curl -fsSL https://x.example/a-k'],
  ['verify', 'RUN curl --insecure https://x.example/a', 'RUN curl -k https://localhost:8443/ready'],
  ['verify', 'RUN wget --no-check-certificate https://x.example/a', 'RUN wget --no-verbose https://x.example/a'],
  [
    'verify',
    'RUN pip install --trusted-host pypi.example.com x',
    'RUN pip install --index-url https://pypi.example.com x',
  ],
  ['verify', 'RUN pip install --index-url http://pypi.example.com x', 'RUN pip install x==1.0'],
  ['verify', 'RUN npm config set strict-ssl false', 'RUN npm config set strict-ssl true'],
  ['verify', 'RUN git config --global http.sslVerify false', 'RUN git config --global http.sslVerify true'],
  [
    'verify',
    'RUN git -c http.sslVerify=false clone https://x.example/a',
    'RUN git -c http.sslCAInfo=/ca.pem clone https://x.example/a',
  ],
  ['verify', 'ENV NODE_TLS_REJECT_UNAUTHORIZED=0', 'ENV NODE_TLS_REJECT_UNAUTHORIZED=1'],
  ['verify', 'RUN NODE_TLS_REJECT_UNAUTHORIZED=0 npm ci', 'RUN NODE_EXTRA_CA_CERTS=/ca.pem npm ci'],
  ['verify', 'ENV PYTHONHTTPSVERIFY=0', 'ENV PYTHONUNBUFFERED=0'],
  ['verify', 'ENV GIT_SSL_NO_VERIFY=true', 'ENV GIT_SSL_CAINFO=/ca.pem'],
  [
    'verify',
    'RUN apt-get update && apt-get install -y --allow-unauthenticated x',
    'RUN apt-get update && apt-get install -y --no-install-recommends x',
  ],
  [
    'verify',
    'RUN echo "deb [trusted=yes] https://x.example ./" > /etc/apt/sources.list.d/x.list',
    'RUN echo "deb [signed-by=/x.gpg] https://x.example ./" > /etc/apt/sources.list.d/x.list',
  ],
  ['verify', 'RUN dnf install -y --nogpgcheck x', 'RUN dnf install -y x'],
  ['verify', 'RUN echo gpgcheck=0 >> /etc/yum.conf', 'RUN echo gpgcheck=1 >> /etc/yum.conf'],
  ['verify', 'RUN rpm -i --nosignature x.rpm', 'RUN rpm -i x.rpm'],
  ['verify', 'RUN apk add --allow-untrusted x.apk', 'RUN apk add --no-cache x'],
  ['verify', 'RUN ssh -o StrictHostKeyChecking=no git@x.example', 'RUN ssh -o StrictHostKeyChecking=yes git@x.example'],
  ['verify', 'ENV GOSUMDB=off', 'ENV GOSUMDB=sum.golang.org'],
  // modes
  ['modes', 'RUN chmod 777 /app', 'RUN chmod 755 /app'],
  ['modes', 'RUN chmod -R a+rwx /app', 'RUN chmod -R a+rX /app'],
  ['modes', 'RUN chmod u+s /app', 'RUN chmod u+x /app'],
  ['modes', 'RUN chmod 4755 /app', 'RUN chmod 0755 /app'],
  ['modes', 'COPY --chmod=777 app /app', 'COPY --chmod=555 app /app'],
  ['modes', 'RUN chmod o+w /data', 'RUN mkdir /t && chmod 1777 /t'],
  // passwords
  ['password', 'RUN echo "root:toor" | chpasswd', 'RUN passwd --lock root'],
  ['password', 'RUN useradd -m -p abc app', 'RUN useradd -m app'],
  ['password', 'RUN passwd -d root', 'RUN passwd -l root'],
  // sudo
  ['sudo', 'RUN echo "app ALL=(ALL) NOPASSWD:ALL" >> /etc/sudoers.d/app', 'RUN echo "app" >> /etc/allowed'],
  ['sudo', 'RUN apt-get update && apt-get install -y sudo', 'RUN apt-get update && apt-get install -y tini'],
  // user and base
  ['4.1', 'USER root', 'USER app'],
  ['4.1', 'ONBUILD USER root', 'ONBUILD USER app'],
  ['tag', 'COPY --from=busybox:latest /bin/sh /sh', 'COPY --from=busybox:1.36 /bin/sh /sh'],
  ['tag', 'RUN --mount=type=bind,from=tools,target=/t true', 'RUN --mount=type=bind,from=tools:3,target=/t true'],
  ['build', 'RUN --security=insecure make', 'RUN --security=sandbox make'],
  ['build', 'RUN --network=host make', 'RUN --network=none make'],
  [
    'syntax',
    `# syntax=example.com/frontend:1\nFROM debian:12.5-slim\n${SHELL}`,
    `# syntax=docker/dockerfile:1.7\nFROM debian:12.5-slim\n${SHELL}`,
  ],
  ['tag', `FROM debian\n${SHELL}`, `FROM debian:12.5-slim\n${SHELL}`],
  ['4.9', 'ADD app.py /app.py', 'COPY app.py /app.py'],
];

const findings = (lines: string) =>
  auditDockerfile(dockerfile(lines), 'Dockerfile').flatMap(({ id, state, evidence }) =>
    state === 'finding' ? [{ id: id.replace('dockerfile.', ''), evidence }] : [],
  );

test('80 misconfigurations', () => expect(CASES.length).toBeGreaterThanOrEqual(80));

test.each(CASES)('%s: %j is found, with its line and no secret in it', (id, bad) => {
  const found = findings(bad).find((one) => one.id === id);
  expect(found?.evidence[0]?.line).toBeGreaterThan(0);
  expect(JSON.stringify(found)).not.toMatch(/hunter2|abcdefghij|QRSTUVWX|wJalr|toor/);
});

test.each(CASES)('%s: nothing is wrong with the twin of %j: %j', (_id, _bad, clean) => {
  expect(findings(clean)).toEqual([]);
});

test.each([
  'gcr.io/distroless/static-debian12:nonroot',
  'nginxinc/nginx-unprivileged:1.27',
  'mcr.microsoft.com/dotnet/aspnet:8.0-noble-chiseled',
  'cgr.dev/chainguard/static:1',
  'docker:27-dind-rootless',
])('%s is not root by its name', (image) => {
  const user = (base: string) =>
    auditDockerfile(`FROM ${base}\n`, 'd').find(({ id }) => id === 'dockerfile.4.1')?.state;
  expect([user(image), user('cgr.dev/chainguard/wolfi-base:1'), user('debian:12')]).toEqual([
    'pass',
    'finding',
    'finding',
  ]);
});

test('an archive in an empty image is how a base is made', () => {
  const add = (text: string) => auditDockerfile(text, 'd').find(({ id }) => id === 'dockerfile.4.9')?.state;
  expect(add('FROM scratch\nADD root.tar.xz /\n')).toBe('pass');
  expect(add('FROM scratch\nADD https://x.example/root.tar.xz /\n')).toBe('finding');
  expect(add('FROM debian:12\nADD root.tar.xz /\n')).toBe('finding');
});
