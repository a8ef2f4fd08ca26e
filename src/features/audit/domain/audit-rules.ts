/** Parser of Linux audit rules, from files and from `auditctl -l`. Source: audit.rules(7), auditctl(8). */

export type AuditRule = {
  readonly path: string;
  /** The rule watches a directory with everything below it. */
  readonly recursive: boolean;
  readonly permissions: string;
};

/** Parses watches in both forms: `-w PATH -p wa` and `-a always,exit -F path=PATH|dir=PATH -F perm=wa`. Skips other rules. */
export function auditRules(text: string): readonly AuditRule[] {
  return text.split('\n').flatMap((line): readonly AuditRule[] => {
    const words = line.trim().split(/\s+/);
    if (words[0]?.startsWith('#')) return [];
    const watch = words[words.indexOf('-w') + 1];
    if (words.includes('-w') && watch !== undefined) {
      // A watch of a directory is recursive (auditctl(8)); a file has nothing below it.
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

/** Lines of a rules file, without comments and without docker-tls' own rules (by their key). */
export function otherRules(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) => line.replace(/\r$/, ''))
    .filter((line) => !/^\s*(#|$)| -k docker-tls$/.test(line));
}

/** Resolves the links of a merged /usr: the kernel watches the targets. */
function real(path: string): string {
  return path.replace(/^\/(bin|sbin|lib|lib32|lib64)(?=\/|$)/, '/usr/$1').replace(/^\/var\/run(?=\/|$)/, '/run');
}

/**
 * True if a rule reports changes to the path: a rule for the path, or for a directory above it. `inside`: the path is a directory, and
 * changes in it count.
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

/** True if a rule for the path, or for a directory above it, misses every change inside. */
export function isHollow(rules: readonly AuditRule[], path: string): boolean {
  const wanted = real(path);
  return rules.some((rule) => !rule.recursive && (real(rule.path) === wanted || isBelow(wanted, real(rule.path))));
}

function isBelow(path: string, directory: string): boolean {
  return path.startsWith(directory === '/' ? '/' : `${directory}/`);
}

/**
 * Effect of a rules file at the next boot, when /run is empty except for `made`. If a directory is missing when `-w` is loaded, the kernel
 * takes it for a file and records nothing inside. A rule for a path in a missing directory stops loading: that rule and all later ones are
 * inactive.
 */
export function rulesAtBoot(rules: readonly AuditRule[], made: ReadonlySet<string>): readonly AuditRule[] {
  const isThere = (path: string): boolean => !path.startsWith('/run/') || made.has(path);
  return rules.flatMap((rule) => {
    const path = real(rule.path);
    const directory = path.slice(0, path.lastIndexOf('/'));
    return isThere(directory) ? [{ ...rule, recursive: rule.recursive && isThere(path) }] : [];
  });
}

/** Loaded rules with the kernel's view: it watches the contents of `directories`. */
export function rulesInKernel(rules: readonly AuditRule[], directories: readonly string[]): readonly AuditRule[] {
  const watched = new Set(directories.map((path) => path.replace(/(?<=.)\/+$/, '')));
  return rules.map((rule) => ({ ...rule, recursive: watched.has(rule.path) }));
}

/** Directories created by lines of tmpfiles.d: `d /run/containerd 0711 root root -`. */
export function tmpfilesDirectories(text: string): ReadonlySet<string> {
  return new Set(
    Array.from(text.matchAll(/^[dDvqQ]\S*\s+"?(\/[^\s"]+)/gm), ([, path = '']) => real(path.replace(/(?<=.)\/+$/, ''))),
  );
}
