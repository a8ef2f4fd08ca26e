/** Owns the reading of Linux audit rules, from files and from `auditctl -l`. Source: audit.rules(7), auditctl(8). */

export type AuditRule = {
  readonly path: string;
  /** Everything below the path is watched too. */
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

/** True when a rule reports changes to the path: itself, or a watched directory above it. */
export function isWatched(rules: readonly AuditRule[], path: string): boolean {
  const wanted = real(path);
  return rules.some((rule) => {
    const watched = real(rule.path);
    return (
      rule.permissions.includes('w') &&
      (watched === wanted || (rule.recursive && wanted.startsWith(watched === '/' ? '/' : `${watched}/`)))
    );
  });
}
