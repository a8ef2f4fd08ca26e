/** Checks of a Compose file on secrets, commands and builds. */

import { DockerTlsError, DockerTlsErrors } from '../../../../errors/errors.ts';
import { checksOf, gravestOf, judge, rank } from '../check.ts';
import { type CheckResult, counts } from '../evaluate.ts';
import { type ComposeCheck, perService } from './compose-check.ts';
import type { Compose, Field, Service } from './compose-model.ts';
import { evidenceOf, hooks, isTrueField, ports, type Wrong, wrongAt } from './compose-service.ts';
import { auditDockerfile } from './dockerfile.ts';
import { applyIgnores } from './inline-ignores.ts';
import { networkCode, unverified, unverifiedVariable } from './network-code.ts';
import { isSecretPair, secretsIn, secretsOfCommand, secretsOfPair } from './secrets.ts';

/** Text of a command in both forms. */
function commandText(value: unknown): string {
  return Array.isArray(value) ? value.map(String).join(' ') : typeof value === 'string' ? value : '';
}

type Command = { readonly text: string; readonly written: string; readonly at: Field['at'] };

/** Commands that a service runs in its container. */
function commands(service: Service): readonly Command[] {
  const own = ['entrypoint', 'command'].flatMap((key) => {
    const field = service.get(key);
    if (field === undefined) return [];
    return [{ text: commandText(field.value), written: commandText(field.shown), at: field.at }];
  });
  const ofHooks = hooks(service).map(({ command, shown, at }) => ({
    ...{ text: commandText(command), written: commandText(shown), at },
  }));
  return [...own, ...ofHooks];
}

function secrets(service: Service): readonly Wrong[] {
  const place = ['build', 'context'];
  const context = service.get(...place);
  const sources = [...(context === undefined ? [] : [context]), ...service.items('build', 'additional_contexts')];
  return [
    ...writtenOut(service, ['environment'], ''),
    ...writtenOut(service, ['build', 'args'], 'build argument '),
    ...writtenOut(service, ['labels'], 'label '),
    ...commands(service).flatMap(({ written, at }) =>
      secretsOfCommand(written).map((text) => ({ text: `its command: ${text}`, at })),
    ),
    ...sources.flatMap(({ written, value, at }) =>
      secretsIn(written ?? String(value)).map((kind) => ({ text: `the source of its build holds ${kind}`, at })),
    ),
  ];
}

function writtenOut(service: Service, path: readonly string[], what: string): readonly Wrong[] {
  return service
    .pairs(...path)
    .flatMap(({ name, written, at }) => secretsOfPair(name, written).map((text) => ({ text: `${what}${text}`, at })));
}

/** Secrets in the options of volumes and in configs, which any container of the service can read. */
function secretsBeside({ volumes, configs }: Compose) {
  const options = volumes.flatMap((volume) => {
    const field = volume.get('driver_opts', 'o');
    const written = field?.written ?? String(field?.value ?? '');
    const password = /(?:^|,)pass(?:word)?=([^,]*)/.exec(written)?.[1];
    return field !== undefined && password !== undefined && isSecretPair('password', password)
      ? [evidenceOf(`volume ${volume.name}`, { text: 'the password of its mount is written out', at: field.at })]
      : [];
  });
  const contents = configs.flatMap((config) => {
    const field = config.get('content');
    if (field === undefined) return [];
    return secretsIn(field.written ?? String(field.value)).map((kind) =>
      evidenceOf(`config ${config.name}`, { text: `holds ${kind}`, at: field.at }),
    );
  });
  return [...options, ...contents];
}

/** Docker's API without TLS: on a port, or by its clients. */
function plainApi(service: Service): readonly Wrong[] {
  const environment = service.pairs('environment');
  const withTls = environment.some(({ name, value }) => /^DOCKER_TLS(?:_VERIFY)?$/.test(name) && value !== '');
  const served = commands(service).filter(
    ({ text }) =>
      /(?:^|\s)(?:-H|--host)[\s=]?["']?tcp:\/\/(?!127\.|localhost)/.test(text) &&
      /\bdockerd\b|^\s*-/.test(text) &&
      !/--tlsverify(?:=true)?(?=\s|$)/.test(text),
  );
  return [
    ...environment
      .filter(
        ({ name, value }) =>
          name === 'DOCKER_HOST' && (/^tcp:.*:2375\b/.test(value) || (/^tcp:/.test(value) && !withTls)),
      )
      .map(({ at }) => ({ text: 'its DOCKER_HOST is a TCP port without TLS', at, severity: 'medium' as const })),
    ...environment
      .filter(({ name, value }) => name === 'DOCKER_TLS_CERTDIR' && value === '')
      .map(({ at }) => ({ text: 'an empty DOCKER_TLS_CERTDIR switches the TLS of dockerd off', at })),
    ...served.map(({ at }) => ({ text: 'its dockerd listens on TCP without --tlsverify', at })),
    ...ports(service)
      .filter(({ container }) => /^2375(?:\/tcp)?$/.test(container))
      .map(({ at }) => ({ text: "it publishes port 2375, which is Docker's without TLS", at })),
  ];
}

/** In place of text that has a value of an env file. */
const BY_VARIABLE = 'a variable decides it';

/** The text with no more than the defaults in the file, as the program gets it. */
function asWritten(shown: string): string {
  return shown.replaceAll('$$', '$');
}

/** By its own comments some of them are accepted. */
function inlineResults(text: string, path: string): readonly CheckResult[] {
  return applyIgnores(auditDockerfile(text, path), 'dockerfile', [{ path, text }]);
}

/** Findings of medium and higher severity in a Dockerfile that stands in the Compose file. */
function inline(service: Service): readonly Wrong[] {
  const field = service.get('build', 'dockerfile_inline');
  if (field === undefined) return [];
  const text = String(field.value);
  const [path, { file, line: keyLine }] = [field.at.file, field.at];
  // The text of a block begins below its key.
  const first = text.includes('\n') ? keyLine : keyLine - 1;
  try {
    const results = inlineResults(text, path);
    const written = inlineResults(asWritten(String(field.shown)), path);
    const shown = new Set(written.flatMap(({ evidence }) => evidence.map((piece) => piece.text)));
    return results
      .filter((result) => counts(result) && rank(result.severity) <= rank('medium'))
      .flatMap(({ id, severity, evidence }) =>
        evidence.map(({ text: words, place, line = 1 }) => ({
          text: `its Dockerfile, ${place}: ${shown.has(words) ? words : BY_VARIABLE} (${id})`,
          at: { file, line: first + line },
          severity,
        })),
      );
  } catch (error) {
    if (error instanceof DockerTlsError || error instanceof DockerTlsErrors)
      return [{ text: `cannot tell: its Dockerfile: ${error.message}`, at: field.at }];
    throw error;
  }
}

function buildRights(service: Service): readonly Wrong[] {
  const network = service.get('build', 'network');
  return [
    ...(isTrueField(service.get('build', 'privileged')) ? wrongAt(service, 'build', 'its build is privileged') : []),
    ...service
      .items('build', 'entitlements')
      .filter(({ text }) => /^(?:security\.insecure|network\.host|device)\b/.test(text))
      .map(({ words, at }) => ({ text: `its build has the entitlement ${words}`, at })),
    ...(network !== undefined && network.value === 'host'
      ? [{ text: "its build has the host's network", at: network.at }]
      : []),
  ];
}

/** Problems that a check finds in commands and variables; without the values of env files that they hold. */
function inCommands(find: (command: string) => readonly string[], variable: typeof unverifiedVariable | undefined) {
  return perService((service) => [
    ...commands(service).flatMap(({ text, written, at }) => {
      const shown = find(asWritten(written));
      const words = (found: string): string =>
        shown.includes(found) ? `its command ${found}` : `its command: ${BY_VARIABLE}`;
      return find(text).map((found) => ({ text: words(found), at }));
    }),
    ...(variable === undefined
      ? []
      : [...service.pairs('environment'), ...service.pairs('build', 'args')].flatMap(({ name, value, written, at }) =>
          variable(name, value).map(() => ({ text: `${name}=${written}`, at })),
        )),
  ]);
}

export const COMPOSE_CODE: readonly ComposeCheck[] = checksOf<ComposeCheck>({
  'compose.4.10': {
    severity: 'high',
    title: 'No secrets in the file',
    failure: 'Secrets are written out in the file',
    why: 'Anyone who can see the container or this file reads them; they end up in logs and in version control.',
    fix: 'secrets: with a file, or a variable from an .env file that is not committed',
    evaluate: (compose) => {
      const found = perService(secrets)(compose);
      const evidence = [...(found.state === 'finding' ? found.evidence : []), ...secretsBeside(compose)];
      return judge(evidence, gravestOf(evidence));
    },
  },
  'compose.api': {
    severity: 'high',
    title: "Docker's API is not used without TLS",
    failure: "Docker's API is used without TLS",
    why: 'Any program that reaches the port controls that daemon as root.',
    fix: 'DOCKER_HOST: tcp://…:2376 with DOCKER_TLS_VERIFY: "1"; dockerd --tlsverify',
    evaluate: perService(plainApi),
  },
  'compose.build': {
    severity: 'medium',
    title: 'Builds have no rights on the host',
    failure: 'Builds have rights on the host',
    why: 'Each step of such a build, and of the images that it starts from, can reach the host.',
    fix: 'Take privileged, entitlements and network: host out of build.',
    evaluate: perService(buildRights),
  },
  'compose.inline': {
    severity: 'medium',
    title: 'A Dockerfile in the file has no grave findings',
    failure: 'A Dockerfile in the file has findings',
    why: 'Its image has the same problems as one from a file of its own.',
    fix: 'As `docker-tls audit --dockerfile` says for that check.',
    evaluate: perService(inline),
  },
  'compose.pipe': {
    severity: 'medium',
    title: 'Code from the network is verified before it runs',
    failure: 'Code from the network is run unseen',
    why: 'A server can send different code at the next start.',
    fix: 'Put the program into the image, with its checksum verified.',
    evaluate: inCommands((command) => [networkCode(command)].filter((found) => found !== undefined), undefined),
  },
  'compose.verify': {
    severity: 'medium',
    title: 'Verification stays on',
    failure: 'Verification is switched off',
    why: 'Anyone on the way can answer in the place of the server.',
    fix: 'Take the option out, and give the program the CA that it lacks.',
    evaluate: inCommands((command) => unverified(command).map((found) => `uses ${found}`), unverifiedVariable),
  },
});
