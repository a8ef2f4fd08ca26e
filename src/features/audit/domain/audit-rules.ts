/** The reading of Linux audit rules, from files and from `auditctl -l`. Source: audit.rules(7), auditctl(8). */

export type AuditRule = {
  readonly path: string;
  /** It watches a directory, and everything below the path is watched too. */
  readonly recursive: boolean;
  readonly permissions: string;
};

/** Watches, in both forms: `-w PATH -p wa` and `-a always,exit -F path=PATH|dir=PATH -F perm=wa`. Rules of other kinds are left out. */
export function auditRules(text: string): readonly AuditRule[] {
  return text.split('\n').flatMap((line): readonly AuditRule[] => {
    const words = line.trim().split(/\s+/);
    if (words[0]?.startsWith('#')) return [];
    const watch = words[words.indexOf('-w') + 1];
    if (words.includes('-w') && watch !== undefined) {
      // A watch of a directory is recursive (auditctl(8)); of a file there is nothing below.
      const path = watch.replace(/(?<=.)\/+$/, '');
      return [
        { path, recursive: true, permissions: words.includes('-p') ? (words[words.indexOf('-p') + 1] ?? '') : 'rwxa' },
      ];
    }
    if (!words.some((word) => /^(always,exit|exit,always)$/.test(word))) return [];
    const permissions = /-F\s*perm=(\w+)/.exec(line)?.[1] ?? 'rwxa';
    const field = /-F\s*(path|dir)=(\S+)/.exec(line);
    if (field === null) return [];
    return [{ path: (field[2] ?? '').replace(/(?<=.)\/+$/, ''), recursive: field[1] === 'dir', permissions }];
  });
}

/** A rules file's lines but comments and docker-tls' own rules (their key says so). */
export function otherRules(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) => line.replace(/\r$/, ''))
    .filter((line) => !/^\s*(#|$)| -k docker-tls$/.test(line));
}

/** The path without the links of every merged /usr: the kernel watches what is behind them. */
function real(path: string): string {
  return path.replace(/^\/(bin|sbin|lib|lib32|lib64)(?=\/|$)/, '/usr/$1').replace(/^\/var\/run(?=\/|$)/, '/run');
}

/**
 * True when a rule reports changes to the path: itself, or a watched directory above it. `inside`: it is a directory, and what happens in it
 * counts.
 */
export function isWatched(rules: readonly AuditRule[], path: string, inside = false): boolean {
  const wanted = real(path);
  return rules.some((rule) => {
    const watched = real(rule.path);
    return (
      rule.permissions.includes('w') &&
      ((watched === wanted && (rule.recursive || !inside)) || (rule.recursive && isBelow(wanted, watched)))
    );
  });
}

/** True when a rule for the path, or for a directory above it, reports nothing that happens inside. */
export function isHollow(rules: readonly AuditRule[], path: string): boolean {
  const wanted = real(path);
  return rules.some((rule) => !rule.recursive && (real(rule.path) === wanted || isBelow(wanted, real(rule.path))));
}

function isBelow(path: string, directory: string): boolean {
  return path.startsWith(directory === '/' ? '/' : `${directory}/`);
}

/**
 * What the rules of a file come to at the next boot, when /run is empty but for `made`. A directory that is not there when `-w` is loaded is
 * taken for a file: the kernel then records nothing that happens inside. A rule in such a directory is not loaded, nor are those after it.
 */
export function rulesAtBoot(rules: readonly AuditRule[], made: ReadonlySet<string>): readonly AuditRule[] {
  const isThere = (path: string): boolean => !path.startsWith('/run/') || made.has(path);
  return rules.flatMap((rule) => {
    const path = real(rule.path);
    const directory = path.slice(0, path.lastIndexOf('/'));
    return isThere(directory) ? [{ ...rule, recursive: rule.recursive && isThere(path) }] : [];
  });
}

/** Loaded rules as the kernel has them: `directories` are those whose contents it watches. */
export function rulesInKernel(rules: readonly AuditRule[], directories: readonly string[]): readonly AuditRule[] {
  const watched = new Set(directories.map((path) => path.replace(/(?<=.)\/+$/, '')));
  return rules.map((rule) => ({ ...rule, recursive: watched.has(rule.path) }));
}

/** Directories that lines of tmpfiles.d make: `d /run/containerd 0711 root root -`. */
export function tmpfilesDirectories(text: string): ReadonlySet<string> {
  return new Set(
    Array.from(text.matchAll(/^[dDvqQ]\S*\s+"?(\/[^\s"]+)/gm), ([, path = '']) => real(path.replace(/(?<=.)\/+$/, ''))),
  );
}
