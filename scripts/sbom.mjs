// Writes the bills of materials of the program, SPDX and CycloneDX: what `npm sbom` says of the installed packages, less those that are
// only used to build and test. DIST/packages.json, which scripts/build.mjs writes, names what is bundled.
// Usage: node scripts/sbom.mjs DIST NAME [VERSIONS]    writes NAME.spdx.json and NAME.cdx.json; times are SOURCE_DATE_EPOCH's. VERSIONS:
// process.versions as JSON, of the Node.js that the single executable contains
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const [dist, name, versions] = process.argv.slice(2);
if (name === undefined) throw new Error('usage: node scripts/sbom.mjs DIST NAME');
const own = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const text = readFileSync(join(dist, 'packages.json'), 'utf8');
const bundled = new Set(JSON.parse(text).map((one) => `${one.name}@${one.version}`));
const created = new Date(Number(process.env.SOURCE_DATE_EPOCH ?? Date.now() / 1000) * 1000).toISOString();
// One document for one content: the same build has the same number.
const digest = createHash('sha256')
  .update(`${own.name}@${own.version}\n${created}\n${text}${versions ?? ''}`)
  .digest('hex');
const uuid = digest.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*/, '$1-$2-5$3-a$4-$5');

/** Node.js and the libraries in it; the others are numbers of interfaces. */
const runtime = Object.entries(JSON.parse(versions ?? '{}'))
  .filter(([library]) => !['modules', 'napi'].includes(library))
  .map(([library, release]) => ({ library, release, purl: `pkg:generic/${library}@${encodeURIComponent(release)}` }));
const cpe = { node: 'nodejs:node.js', openssl: 'openssl:openssl' };
const cpeOf = ({ library, release }) => cpe[library] && `cpe:2.3:a:${cpe[library]}:${release}:*:*:*:*:*:*:*`;

function npmSbom(format) {
  // Where packages may have other versions than npm would choose today, the lock file is right.
  return JSON.parse(execFileSync('npm', ['sbom', '--sbom-format', format], { cwd: root, maxBuffer: 1 << 26 }));
}

function checked(packages) {
  const missing = [...bundled].filter((one) => !packages.some((found) => `${found.name}@${found.version}` === one));
  if (missing.length > 0) throw new Error(`npm sbom does not know ${missing.join(', ')}`);
}

function spdx() {
  const document = npmSbom('spdx');
  const [itself] = document.documentDescribes;
  const packages = document.packages.filter(
    (one) => one.SPDXID === itself || bundled.has(`${one.name}@${one.versionInfo}`),
  );
  checked(packages.map((one) => ({ name: one.name, version: one.versionInfo })));
  for (const one of runtime) {
    const refs = [{ referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: one.purl }];
    const locator = cpeOf(one);
    if (locator) refs.push({ referenceCategory: 'SECURITY', referenceType: 'cpe23Type', referenceLocator: locator });
    packages.push({
      name: one.library,
      SPDXID: `SPDXRef-Node-${one.library.replaceAll('_', '-')}`,
      versionInfo: one.release,
      downloadLocation: 'https://nodejs.org/dist/',
      filesAnalyzed: false,
      licenseDeclared: 'NOASSERTION',
      licenseComments: 'NODE-LICENSE.txt',
      externalRefs: refs,
    });
  }
  return {
    ...document,
    documentNamespace: `https://spdx.org/spdxdocs/docker-tls-${own.version}-${uuid}`,
    creationInfo: { ...document.creationInfo, created },
    packages: packages.map((one) => (one.SPDXID === itself ? { ...one, primaryPackagePurpose: 'APPLICATION' } : one)),
    relationships: [
      { spdxElementId: document.SPDXID, relatedSpdxElement: itself, relationshipType: 'DESCRIBES' },
      ...packages
        .filter((one) => one.SPDXID !== itself)
        .map((one) => ({ spdxElementId: itself, relatedSpdxElement: one.SPDXID, relationshipType: 'CONTAINS' })),
    ],
  };
}

function cyclonedx() {
  const document = npmSbom('cyclonedx');
  const { component } = document.metadata;
  const components = document.components
    .filter((one) => bundled.has(`${one.name}@${one.version}`))
    .map(({ properties, ...one }) => ({ ...one, scope: 'required' }));
  checked(components);
  for (const one of runtime) {
    const ref = `node-${one.library}`;
    const licenses = [{ license: { name: 'NODE-LICENSE.txt' } }];
    const { library, release, purl } = one;
    components.push({
      'bom-ref': ref,
      type: 'library',
      name: library,
      version: release,
      scope: 'required',
      purl,
      cpe: cpeOf(one),
      licenses,
    });
  }
  return {
    ...document,
    serialNumber: `urn:uuid:${uuid}`,
    metadata: {
      ...document.metadata,
      timestamp: created,
      component: { ...component, name: own.name, type: 'application' },
    },
    components,
    dependencies: [
      { ref: component['bom-ref'], dependsOn: components.map((one) => one['bom-ref']) },
      ...components.map((one) => ({ ref: one['bom-ref'], dependsOn: [] })),
    ],
  };
}

writeFileSync(`${name}.spdx.json`, `${JSON.stringify(spdx(), null, 2)}\n`);
writeFileSync(`${name}.cdx.json`, `${JSON.stringify(cyclonedx(), null, 2)}\n`);
