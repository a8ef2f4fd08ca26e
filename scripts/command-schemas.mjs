// JSON Schemas of the commands' --json documents, from the types: the result of the command `client add` is the type ClientAddDocument,
// exported by a file in commands/. A command without such a type refuses --json, and its schema has the failure alone.
import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createFormatter, createParser, DEFAULT_CONFIG, SchemaGenerator } from 'ts-json-schema-generator';

/** The generator's own: its types are not those of another version. */
const ts = createRequire(import.meta.resolve('ts-json-schema-generator'))('typescript');

/** Files by path, parsed once for all programs of a run: copies without a feature differ in few. */
const parsed = new Map();

/** The files with documents, and what they import. */
function programOf(root) {
  const inDirectory = (directory) =>
    existsSync(join(root, directory))
      ? readdirSync(join(root, directory)).map((name) => join(root, directory, name))
      : [];
  const features = readdirSync(join(root, 'src/features')).map((name) => `src/features/${name}/commands`);
  const files = ['src/core/commands', ...features].flatMap(inDirectory).filter((file) => file.endsWith('.ts'));
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent({ ...config, include: [], files: [] }, ts.sys, root);
  const host = ts.createCompilerHost(options);
  const { getSourceFile } = host;
  host.getSourceFile = (file, ...more) => {
    const text = host.readFile(file);
    if (parsed.get(file)?.text !== text) parsed.set(file, getSourceFile(file, ...more));
    return parsed.get(file);
  };
  return ts.createProgram([join(root, 'src/cli/errors.ts'), join(root, 'src/cli/main.ts'), ...files], options, host);
}

/** The schemas by file name, of the commands of the repository in `root` and of `help`. */
export function commandSchemas(root, commands) {
  const config = { ...DEFAULT_CONFIG, expose: 'all', topRef: true, additionalProperties: false, jsDoc: 'extended' };
  const program = programOf(root);
  const generator = new SchemaGenerator(program, createParser(program, config), createFormatter(config), config);
  // Asked for a type by its name, the generator goes through every file again.
  const nodes = new Map();
  generator.appendTypes(generator.partitionFiles().projectFiles, program.getTypeChecker(), nodes);
  const definitionsOf = (type) =>
    nodes.has(type) ? generator.createSchemaFromNodes([nodes.get(type)]).definitions : undefined;
  const error = definitionsOf('ErrorDocument');
  if (error === undefined) throw new Error('src/cli has no type ErrorDocument');
  if (!nodes.has('HelpDocument')) throw new Error('src/cli has no type HelpDocument');
  const document = (command, name, type) => {
    const result = definitionsOf(type) ?? {};
    const has = result[type] !== undefined;
    const definitions = sorted({ ...error, ...result });
    const internal = Object.keys(definitions).filter((one) => !one.endsWith('Document'));
    if (internal.length > 0)
      throw new Error(`${type} has the types ${internal.join(', ')}: name each of a document …Document`);
    return {
      $schema: 'http://json-schema.org/draft-07/schema#',
      title: `docker-tls ${name} --json`,
      type: 'object',
      properties: {
        schema: { const: 1, description: 'The version of the documents.' },
        command,
        ok: { type: 'boolean', description: 'True if the exit status is 0.' },
        ...(has ? { result: { $ref: `#/definitions/${type}` } } : {}),
        error: { $ref: '#/definitions/ErrorDocument' },
      },
      required: ['schema', 'command', 'ok'],
      // What a command did or found is absent only if it failed.
      ...(has ? { anyOf: [{ required: ['result'] }, { properties: { ok: { const: false } } }] } : {}),
      additionalProperties: false,
      definitions,
    };
  };
  const schemas = commands.map(({ name }) => [
    `${fileName(name)}.json`,
    document({ const: name }, name, `${pascal(name)}Document`),
  ]);
  // Of calls that name no command, `command` is what was typed.
  return new Map([...schemas, ['help.json', document({ type: 'string' }, 'help', 'HelpDocument')]]);
}

export function fileName(command) {
  return command.replaceAll(' ', '-');
}

function pascal(command) {
  return command.replace(/(?:^|[ -])(\w)/g, (_, letter) => letter.toUpperCase());
}

function sorted(definitions) {
  return Object.fromEntries(Object.entries(definitions).sort(([a], [b]) => (a < b ? -1 : 1)));
}
