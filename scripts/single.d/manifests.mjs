// Writes what Homebrew, Scoop and winget need to install a release, into DIR/manifests, with the checksums of the archives in DIR. A manager
// without an archive of its platform gets no file.
// usage: node scripts/single.d/manifests.mjs DIR VERSION
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const [directory, version] = process.argv.slice(2);
const { description, homepage, license, repository } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
);
const source = repository.url.replace(/^git\+|\.git$/g, '');
const into = join(directory, 'manifests');
const summary = 'Mutual TLS for remote Docker daemons, set up over SSH';

const completes = existsSync(new URL('../../src/features/completion', import.meta.url));
const completion = completes
  ? `    bash_completion.install "completion/completion.bash" => "docker-tls"
    zsh_completion.install "completion/completion.zsh" => "_docker-tls"
    fish_completion.install "completion/completion.fish" => "docker-tls.fish"
`
  : '';

function archive(platform) {
  const name = `docker-tls-${version}-${platform}.${platform.startsWith('win') ? 'zip' : 'tar.gz'}`;
  const file = join(directory, name);
  if (!existsSync(file)) return undefined;
  const sum = createHash('sha256').update(readFileSync(file)).digest('hex');
  return { name, url: `${source}/releases/download/v${version}/${name}`, sum };
}

function formula() {
  const systems = {
    macos: { arm: 'darwin-arm64', intel: 'darwin-x64' },
    linux: { arm: 'linux-arm64', intel: 'linux-x64' },
  };
  const blocks = Object.entries(systems).flatMap(([system, processors]) => {
    const parts = Object.entries(processors).flatMap(([processor, platform]) => {
      const one = archive(platform);
      return one ? [`    on_${processor} do\n      url "${one.url}"\n      sha256 "${one.sum}"\n    end\n`] : [];
    });
    return parts.length === 0 ? [] : [`  on_${system} do\n${parts.join('')}  end\n`];
  });
  if (blocks.length === 0) return undefined;
  return `class DockerTls < Formula
  desc "${summary}"
  homepage "${source}"
  version "${version}"
  license "${license}"

${blocks.join('\n')}
  def install
    bin.install "docker-tls"
    man1.install Dir["man/*.1"]
${completion}    (lib/"docker/cli-plugins").install_symlink bin/"docker-tls"
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/docker-tls --version")
  end
end
`;
}

function scoop(windows) {
  const inside = windows.name.replace(/\.zip$/, '');
  const manifest = {
    version,
    description,
    homepage,
    license,
    architecture: { '64bit': { url: windows.url, hash: windows.sum, extract_dir: inside } },
    bin: 'docker-tls.exe',
    checkver: { github: source },
    autoupdate: {
      architecture: {
        '64bit': {
          url: `${source}/releases/download/v$version/docker-tls-$version-win-x64.zip`,
          extract_dir: 'docker-tls-$version-win-x64',
        },
      },
    },
  };
  return `${JSON.stringify(manifest, null, 2)}\n`;
}

/** The three files of winget, schema 1.6. */
function winget(windows) {
  const common = `PackageIdentifier: DockerTls.DockerTls\nPackageVersion: ${version}\n`;
  const end = (type) => `ManifestType: ${type}\nManifestVersion: 1.6.0\n`;
  const inside = windows.name.replace(/\.zip$/, '');
  return {
    'DockerTls.DockerTls.yaml': `${common}DefaultLocale: en-US\n${end('version')}`,
    'DockerTls.DockerTls.installer.yaml': `${common}InstallerType: zip
NestedInstallerType: portable
NestedInstallerFiles:
  - RelativeFilePath: ${inside}\\docker-tls.exe
    PortableCommandAlias: docker-tls
Installers:
  - Architecture: x64
    InstallerUrl: ${windows.url}
    InstallerSha256: ${windows.sum.toUpperCase()}
${end('installer')}`,
    'DockerTls.DockerTls.locale.en-US.yaml': `${common}PackageLocale: en-US
Publisher: docker-tls
PublisherUrl: ${source}
PackageName: docker-tls
License: ${license}
LicenseUrl: ${source}/blob/main/LICENSE
ShortDescription: ${summary}
${end('defaultLocale')}`,
  };
}

const windows = archive('win-x64');
const files = {
  'docker-tls.rb': formula(),
  ...(windows && { 'docker-tls.json': scoop(windows) }),
  ...(windows && winget(windows)),
};
mkdirSync(into, { recursive: true });
for (const [name, text] of Object.entries(files)) {
  if (text === undefined) continue;
  writeFileSync(join(into, name), text);
  process.stdout.write(`${join(into, name)}\n`);
}
