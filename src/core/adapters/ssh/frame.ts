/**
 * The frame around a script: its transport to a host, and the separation of its output from everything else that the host prints.
 *
 * One exec carries one command of constant shape (`commandWords`), and every login shell parses it alike. Its words contain no newline, no
 * `!`, no backslash before a quote and no single quote. So shellQuote is enough for sh, fish and csh. Script and data travel on stdin only:
 *
 *     [password ⏎] MARK LENGTH ⏎ script[LENGTH] input…
 *
 * The host answers on stdout and on stderr, each after any output of a login shell, banner or sudo:
 *
 *     …noise… MARK:shell ⏎ …noise… MARK:run ⏎ script output MARK:end STATUS ⏎
 *
 * MARK is random and reaches the host in two halves, so a shell that prints its own command line cannot forge it. Only `MARK:end` shows
 * that the script ran to its end: without it the connection was lost, whatever the status says. Pure.
 */

import { cleanShell } from '../../domain/dockerd/clean-environment.ts';

/** The route to root: none, `sudo -n` (never asks), or `sudo -S` (asks on stderr, reads stdin). */
export type SudoMode = 'plain' | 'never-ask' | 'may-ask';

/** A random mark in two halves of 16 hexadecimal digits each. */
export type Mark = { readonly first: string; readonly second: string };

/**
 * The program of the final user. `$1$2` is the mark. It skips stdin lines other than the mark and never executes them: such a line is a
 * password that sudo did not ask for. The script runs in a subshell, so its `exit` cannot skip the end mark. Some `head`s (busybox, uutils)
 * read more than they print and would swallow the script's input. A test with three bytes detects them, and a byte-wise dd replaces them
 * for bootstrap and script alike. The test takes three processes, so it is skipped if nothing follows the script (`$4` is `alone`; sudo does
 * not pass it on).
 */
const BOOTSTRAP = [
  'cd /; umask 022',
  // Lifts a login's memory limits: scripts run dockerd from this shell to check its configuration.
  'if [ -O / ]; then ulimit -v unlimited; ulimit -d unlimited; fi',
  'if [ "$4" = alone ] || echo ab | { head -c 1 >/dev/null && read -r rest && [ "$rest" = b ]; } 2>/dev/null; then :; else head() { if [ "$#$1" = 2-c ]; then dd bs=1 count="$2" 2>/dev/null; else command head "$@"; fi; }; fi',
  'echo "$1$2:run"; echo "$1$2:run" >&2',
  'while :; do IFS=" " read -r mark length || exit 98; if [ "$mark" = "$1$2" ]; then break; fi; done',
  '( set --; eval "$(head -c "$length")" ); code=$?; echo "$1$2:end $code"; echo "$1$2:end $code" >&2',
].join('; ');

/**
 * The command that sudo starts. sudo builds its own environment (PAM's pam_env reads /etc/environment); the bootstrap must not see that.
 */
const ROOT = `exec ${cleanShell({ OPERATOR: '"$4"' }).join(' ')} -c "$1" sh "$2" "$3"`;

/**
 * The command of the login shell: chooses who runs the bootstrap (`$1`), with `$2` for root, and reports how far it came. `$5` is the
 * SudoMode. Whose `/` and process 1 are is root, which takes no program to find out. It names root because sudoers may default to another account. The prompt names the account whose password sudo wants (rootpw
 * and targetpw of sudoers(5)).
 */
const LAUNCHER = [
  'B="$1"; R="$2"; shift 2; echo "$1$2:shell"; echo "$1$2:shell" >&2',
  'if [ "$3" = plain ] || { [ -O / ] && [ -O /proc/1 ]; } || [ "$(id -u)" = 0 ]; then eval "$B"; exit 0; fi',
  'if [ -n "$(command -v sudo)" ]; then :; else while read -r l; do echo "$l"; done </etc/os-release; echo "$1$2:nosudo"; exit 0; fi',
  'if [ "$3" = never-ask ]; then exec sudo -n -u root -- /bin/sh -c "$R" sh "$B" "$1" "$2" "$OPERATOR"; fi',
  'exec sudo -S -u root -p "[%p] $1$2:ask" -- /bin/sh -c "$R" sh "$B" "$1" "$2" "$OPERATOR"',
].join('; ');

/**
 * The words of one exec's command. Quote each with shellQuote and join them for a login shell. Scripts find the operator's account name on
 * the host in OPERATOR. `alone`: no input follows the script.
 */
export function commandWords(mark: Mark, mode: SudoMode, operator: string, alone = false): readonly string[] {
  const words = [LAUNCHER, 'sh', BOOTSTRAP, ROOT, mark.first, mark.second, mode, alone ? 'alone' : 'more'];
  return [...cleanShell({ OPERATOR: operator }), '-c', ...words];
}

/**
 * The head of stdin, before the script's own input. The script is wrapped in one compound command: a script that arrives in part (the
 * connection broke) is a syntax error and never half executed. Throws a TypeError if the script contains a NUL.
 */
export function requestHead(mark: Mark, script: string): Buffer {
  if (script.includes('\0')) throw new TypeError('a script cannot hold a NUL byte');
  const text = Buffer.from(`{ :\n${script}\n}\n`, 'utf8');
  return Buffer.concat([Buffer.from(`${mark.first}${mark.second} ${text.length}\n`, 'latin1'), text]);
}

type FrameLimits = {
  /** Limit of bytes printed before the mark. */
  readonly noiseBytes: number;
  /** Limit of bytes printed by a script, for stdout and stderr each. */
  readonly outputBytes: number;
};

const FRAME_LIMITS: FrameLimits = { noiseBytes: 1024 * 1024, outputBytes: 64 * 1024 * 1024 };

/** The host's progress, as verified by its marks. */
export type FrameStage = 'before' | 'shell' | 'no-sudo' | 'running' | 'ended';

/** Reader of one of an exec's two streams. Push chunks; look at the fields. */
export class FrameReader {
  stage: FrameStage = 'before';
  /** The script's own status, once `ended`. */
  status: number | undefined;
  /** Number of sudo's password prompts on this stream. */
  requested = 0;
  /** The account of the last prompt, as sudo expanded it in our prompt. */
  whose: string | undefined;
  /** Set when a limit was exceeded; the caller must abort the exec. */
  overflow: 'noise' | 'output' | undefined;
  readonly #mark: Buffer;
  readonly #limits: FrameLimits;
  readonly #onLine: ((line: string) => void) | undefined;
  readonly #noise: Buffer[] = [];
  readonly #output: Buffer[] = [];
  #noiseBytes = 0;
  #outputBytes = 0;
  #rest: Buffer = Buffer.alloc(0);
  #line: Buffer = Buffer.alloc(0);

  constructor(mark: Mark, onLine?: (line: string) => void, limits: FrameLimits = FRAME_LIMITS) {
    this.#mark = Buffer.from(`${mark.first}${mark.second}:`, 'latin1');
    this.#limits = limits;
    this.#onLine = onLine;
  }

  output(): Buffer {
    return Buffer.concat(this.#output);
  }

  /** The last kilobytes printed before the script ran (banners, sudo's messages), without our marks. */
  noise(): string {
    const text = Buffer.concat([...this.#noise, ...(this.stage === 'running' ? [] : [this.#rest])]).toString('utf8');
    return text.replace(new RegExp(`${this.#mark.toString('latin1')}[a-z]*\\n?`, 'g'), '').slice(-8192);
  }

  push(chunk: Buffer): void {
    if (this.stage === 'ended' || this.overflow !== undefined) return;
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    while (this.#step()) {}
    if (this.#noiseBytes > this.#limits.noiseBytes) this.overflow = 'noise';
    if (this.#outputBytes > this.#limits.outputBytes) this.overflow = 'output';
  }

  /** Consumes up to the next mark. False if more bytes are needed. */
  #step(): boolean {
    if (this.stage === 'ended') return false;
    const at = this.#rest.indexOf(this.#mark);
    if (at < 0) {
      // Keep a possible beginning of a mark.
      const keep = partialSuffix(this.#rest, this.#mark);
      this.#take(this.#rest.length - keep);
      return false;
    }
    this.#take(at);
    const word = /^([a-z]+)( \d+)?(\n)?/.exec(
      this.#rest.subarray(this.#mark.length, this.#mark.length + 32).toString('latin1'),
    );
    // sudo may print anything after its prompt; the other marks end their line.
    if (word?.[1]?.startsWith('ask') && this.stage !== 'running') {
      this.requested += 1;
      this.#readPrompt();
      this.#drop(this.#mark.length + 3);
      return true;
    }
    if (word?.[3] === undefined) {
      const undecided =
        this.#rest.length < this.#mark.length + 32 && isMarkBeginning(this.#rest.subarray(this.#mark.length));
      if (undecided) return false;
      this.#take(this.#mark.length);
      return true;
    }
    if (this.stage === 'running') {
      if (word[1] !== 'end' || word[2] === undefined) {
        this.#take(this.#mark.length);
        return true;
      }
      this.status = Number(word[2]);
      this.#flushLine();
      this.stage = 'ended';
    } else if (word[1] === 'run') this.stage = 'running';
    else if (word[1] === 'nosudo') this.stage = 'no-sudo';
    else if (word[1] === 'shell') this.stage = 'shell';
    this.#drop(this.#mark.length + word[0].length);
    return true;
  }

  /** Extracts our prompt from the noise. A sudo without support for %p leaves it unexpanded. */
  #readPrompt(): void {
    const noise = Buffer.concat(this.#noise.splice(0)).toString('latin1');
    const prompt = / ?\[([^[\]\n]{1,256})\] $/.exec(noise);
    this.whose = prompt?.[1] === '%p' ? undefined : prompt?.[1];
    this.#noise.push(Buffer.from(prompt === null ? noise : noise.slice(0, prompt.index), 'latin1'));
  }

  #drop(bytes: number): void {
    this.#rest = this.#rest.subarray(bytes);
  }

  #take(bytes: number): void {
    if (bytes === 0) return;
    const taken = this.#rest.subarray(0, bytes);
    this.#drop(bytes);
    if (this.stage !== 'running') {
      this.#noise.push(taken);
      this.#noiseBytes += taken.length;
      return;
    }
    this.#output.push(taken);
    this.#outputBytes += taken.length;
    if (this.#onLine !== undefined) this.#lines(taken, this.#onLine);
  }

  #lines(bytes: Buffer, onLine: (line: string) => void): void {
    let text = this.#line.length === 0 ? bytes : Buffer.concat([this.#line, bytes]);
    for (let end = text.indexOf(10); end >= 0; end = text.indexOf(10)) {
      onLine(text.subarray(0, end).toString('utf8'));
      text = text.subarray(end + 1);
    }
    this.#line = text;
  }

  #flushLine(): void {
    if (this.#line.length > 0) this.#onLine?.(this.#line.toString('utf8'));
    this.#line = Buffer.alloc(0);
  }
}

/** The longest suffix of `bytes` that is a proper prefix of `mark`. */
function partialSuffix(bytes: Buffer, mark: Buffer): number {
  const first = mark.readUInt8();
  for (
    let at = bytes.indexOf(first, Math.max(0, bytes.length - mark.length + 1));
    at >= 0;
    at = bytes.indexOf(first, at + 1)
  )
    if (bytes.compare(mark, 0, bytes.length - at, at) === 0) return bytes.length - at;
  return 0;
}

/** The bytes after a mark may still become `shell⏎`, `end 0⏎`, `ask` and so on. */
function isMarkBeginning(bytes: Buffer): boolean {
  return /^[a-z]*( \d*)?$/.test(bytes.toString('latin1'));
}
