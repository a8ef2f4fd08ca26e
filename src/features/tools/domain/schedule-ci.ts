/** Scheduled renewal jobs for GitHub and GitLab. Pure. */

import { commandsOf, filesAsNamed, type ScheduleOptions } from './schedule-jobs.ts';

export type CiOptions = ScheduleOptions & {
  /** Version of the npm package. */
  readonly version: string;
  /** Path of the fleet file in the checkout. */
  readonly inCheckout?: string | undefined;
};

/**
 * A job on an ephemeral runner: the shared store has all persistent state, and an operator's key is a CI secret. For a store in a
 * directory, or for secrets in files, a job on a self-hosted runner.
 */
export function renderCi(form: 'github' | 'gitlab', options: CiOptions): string {
  const { store, passphraseFile, sudoPasswordFile, home, ...rest } = options;
  const own = store === undefined || passphraseFile !== undefined || sudoPasswordFile !== undefined;
  const given = own ? options : { ...rest, store, fleetFile: options.inCheckout };
  const commands = ['bad=0', ...commandsOf(given, filesAsNamed(given)).map((one) => `${one} || bad=1`), 'exit $bad'];
  return form === 'github' ? githubJob(options, commands, own) : gitlabJob(options, commands, own);
}

const install = 'npm install --global --ignore-scripts --no-audit --no-fund';

/** Which runner the job needs, and why. */
function runnerWords({ store }: ScheduleOptions): string {
  const disk =
    store === undefined
      ? ', and its disk keeps the store. With a store of a team (docs/team.md), any runner will do'
      : '';
  return `A runner of your own: docker-tls is installed there${disk}.`;
}

function githubJob(options: CiOptions, commands: readonly string[], own: boolean): string {
  const names = [
    ...(options.passphraseFile === undefined ? ['DOCKER_TLS_CA_PASSPHRASE'] : []),
    ...(options.environment ?? []),
  ];
  const secrets = [...new Set(names)].map((name) => `${name}: \${{ secrets.${name} }}`);
  const indented = (spaces: number, lines: readonly string[]) =>
    lines.map((line) => `${' '.repeat(spaces)}${line}\n`).join('');
  const env = secrets.length === 0 ? '' : `env:\n${indented(own ? 6 : 10, secrets)}`;
  const head = `name: certificates of Docker hosts
on:
  schedule: [{ cron: '23 4 * * *' }]
  workflow_dispatch: {}
permissions: { contents: read }
# Two runs at once would do the same work.
concurrency: docker-tls
jobs:
  renew:
`;
  if (own)
    return `${head}    # ${runnerWords(options)}
    runs-on: [self-hosted, docker-tls]
${env === '' ? '' : `    ${env}`}    steps:
      - run: |
${indented(10, commands)}`;
  return `${head}    runs-on: ubuntu-24.04
    # The secrets are those of this environment, which takes only the default branch.
    environment: docker-hosts
    steps:
${options.inCheckout === undefined ? '' : '      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1\n'}      - run: ${install} "@docker-tls/cli@${options.version}"
      - name: the key of an operator, which opens the hosts, the repository and the store
        env:
          SSH_KEY: \${{ secrets.SSH_KEY }}
          KNOWN_HOSTS: \${{ secrets.KNOWN_HOSTS }}
        run: |
          umask 077
          mkdir -p ~/.ssh
          printf '%s\\n' "$SSH_KEY" >~/.ssh/id_ed25519
          printf '%s\\n' "$KNOWN_HOSTS" >>~/.ssh/known_hosts
      - name: renew, and fail if something is still due or differs
        ${env}        run: |
${indented(10, commands)}`;
}

/** GitLab passes project variables to every job, including DOCKER_TLS_CA_PASSPHRASE; an environment scope limits them to these jobs. */
function gitlabJob(options: CiOptions, commands: readonly string[], own: boolean): string {
  const script = commands.map((line) => `          ${line}\n`).join('');
  const rest = `  # Two jobs at once would do the same work.
  resource_group: docker-tls
  rules: [{ if: '$CI_PIPELINE_SOURCE == "schedule"' }]
`;
  if (own)
    return `certificates:
  # ${runnerWords(options)}
  tags: [docker-tls]
${rest}  script:
    - |
${script}`;
  return `certificates:
  # SSH_KEY and KNOWN_HOSTS (of type file), DOCKER_TLS_CA_PASSPHRASE: protected variables with the scope of this environment.
  environment: docker-hosts
  image: node:22
${rest}  before_script:
    - ${install} "@docker-tls/cli@${options.version}"
    - umask 077
    - mkdir -p ~/.ssh
    - cp "$SSH_KEY" ~/.ssh/id_ed25519
    - cat "$KNOWN_HOSTS" >>~/.ssh/known_hosts
  script:
    - |
${script}`;
}

/** Environment variables in the references, without duplicates. */
export function environmentOf(references: readonly (string | undefined)[]): string[] {
  return [...new Set(references.flatMap((one) => (one?.startsWith('env:') ? [one.slice(4)] : [])))];
}
