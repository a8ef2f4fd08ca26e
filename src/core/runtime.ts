/**
 * The Runtime: every effect available to an action, in one object that tests can replace. The types are the contract between the adapters
 * (which never import one another) and the engine.
 */

import type { Duplex } from 'node:stream';
import type { CaToken, ExternalCa, SignProfile } from './domain/external-ca.ts';
import type { San } from './domain/pki/san.ts';
import type { Login } from './domain/quote.ts';
import type { Secret } from './domain/secret.ts';
import type { RunMarks } from './domain/store-settings.ts';

/** SSH options as the user gave them; `~/.ssh/config` (by `ssh -G`) fills in the rest. */
export type SshOptions = RunMarks &
  Omit<Login, 'terminal'> & {
    /** Short name for messages and the store. */
    readonly host: string;
    /** For a jump host: the host behind it. */
    readonly jumpTo?: string;
    /** Default: ssh2, or openssh if the ssh config or a key requires it. */
    readonly transport?: 'ssh2' | 'openssh';
    /** `strict`: known keys only (asks if `ask.hostKey` is given); `accept-new`: stores unknown keys; `SHA256:…` or `TYPE BASE64`: exactly this key. */
    readonly hostKey?: string;
    /** The key from the first connection of this run; later connections must show the same one. */
    readonly firstKey?: HostKey;
    /** `false`: the command has no --host-key and accepts only hosts of the store, so hints do not suggest either. */
    readonly hostKeyFlag?: false;
    readonly knownHostsFile?: string;
    /** The caller uses the session's tunnel. */
    readonly tunnels?: boolean;
    /** The sudo password, if the user needs one. */
    readonly sudoPassword?: Secret;
    readonly connectTimeoutMs?: number;
    readonly keepaliveMs?: number;
    /** Questions for the user; absent without a terminal. */
    readonly ask?: SshQuestions;
    readonly signal?: AbortSignal;
  };

/** A host's key; of a certificate, the key inside. */
export type HostKey = {
  readonly type: string;
  readonly base64: string;
  /** `SHA256:…`, as ssh prints it. */
  readonly fingerprint: string;
  /** Signed by a certificate authority that this machine trusts. */
  readonly certified?: boolean;
};

export type SshQuestions = {
  /** An unknown host key: true stores it and continues. */
  hostKey(question: { host: string; address: string; type: string; fingerprint: string }): Promise<boolean>;
  /** The passphrase of an encrypted key file, asked once per file for all hosts. `again`: the previous answer was wrong. */
  passphrase(question: { file: string; again?: boolean }): Promise<Secret>;
  /** A login password or a keyboard-interactive prompt (`echo` false: hidden). The prompt is cleaned. `why`: the rejected method before. */
  password(question: { host: string; prompt: string; echo: boolean; why?: string }): Promise<Secret>;
  /** Tells the user to touch a security key; asks nothing. `key`: its type and fingerprint. */
  touch?(notice: { host: string; key: string }): void;
  /** The sudo password, asked only if sudo needs it. `of`: the account that sudo names, if any. `again`: the previous answer was wrong. */
  sudoPassword?(question: { host: string; user: string; of?: string | undefined; again?: boolean }): Promise<Secret>;
};

/** One script of one phase. /bin/sh runs it on the host with `input` as its standard input. */
export type ScriptRequest = {
  /** The phase's name in errors and time-outs, for instance `facts`. */
  readonly phase: string;
  /** POSIX shell text, constant except for values quoted by shellQuote; never secret. */
  readonly script: string;
  /** The script's stdin (secret files included), in this order. */
  readonly input?: readonly (Uint8Array | Secret)[];
  /** Run as root: directly if the user is root, else through sudo. In a rootless session: as the login user. */
  readonly asRoot: boolean;
  readonly timeoutMs: number;
  /** Called for each complete line of standard output while the script runs (the receiver cleans it). */
  readonly onLine?: (line: string) => void;
  readonly signal?: AbortSignal;
};

/** The script's output, without a login shell's banners. `status` is the script's own exit status. */
export type ScriptResult = { readonly status: number; readonly stdout: Buffer; readonly stderr: string };

/**
 * A connection to a host. Errors: E_SSH_LOST if it breaks, E_SSH_TIMEOUT, E_SUDO_…; a script's exit status is a result and not an error.
 */
export type HostSession = {
  readonly host: string;
  /** The login, for commands to paste. */
  readonly login: Login;
  /** The login user. */
  readonly user: string;
  /** The dialled address, as resolved from the ssh config; clients would dial the same one. */
  readonly dialled: string;
  /** Absent for this machine. */
  readonly hostKey?: HostKey;
  /** The transport, and the reason if it is not ssh2: for -v. */
  readonly transport?: string;
  /** `key`: a key or an agent was enough, without a password. Absent: another method, or unknown. */
  readonly authenticatedBy?: 'key';
  run(request: ScriptRequest): Promise<ScriptResult>;
  /** Announces a run as root, so that the session can start what it needs on the host. Absent if that could block another run. */
  prepare?(): void;
  /** TCP connections from the jump host, or from the host itself without one. */
  readonly tunnel?: Tunnel;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
};

/** `open` fails with E_SSH_… if ssh does not forward or the connection is refused at the far end. */
export type Tunnel = {
  /** The origin of its connections, for instance `the jump host gate.example.org`. */
  readonly via: string;
  open(address: string, port: number): Promise<Duplex>;
  /** Resolves when the ssh connection has ended. */
  readonly ended: Promise<void>;
};

export type Connect = (options: SshOptions) => Promise<HostSession>;

/** Client credentials for a probe of a daemon. */
export type ProbeCredentials = { readonly cert: string; readonly key: Secret };

export type ProbeRequest = {
  readonly address: string;
  readonly port: number;
  /** Trusted CA certificates, PEM. */
  readonly ca: string;
  /** The name to verify in the server's certificate; default: `address`. */
  readonly serverName?: string;
  readonly credentials?: ProbeCredentials;
  /**
   * Skips verification of the server, as an attacker would, to test whether it accepts untrusted clients. Never combined with credentials
   * of docker-tls.
   */
  readonly anyServer?: boolean;
  readonly maxVersion?: 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';
  readonly plain?: boolean;
  /** Opens the connection, for instance through ssh; default: TCP from this machine. */
  readonly dial?: () => Promise<Duplex>;
  /** GET this path over the connection (default `/_ping`): a rejected TLS 1.3 client learns of it only at its first read. */
  readonly path?: string;
  readonly timeoutMs: number;
};

export type ProbeOutcome =
  | {
      readonly kind: 'accepted';
      readonly status: number;
      readonly body: string;
      readonly protocol: string;
      /** The certificate chain as served, PEM. Empty over plain HTTP. */
      readonly chain: string;
      readonly elapsedMs: number;
    }
  | {
      readonly kind: 'refused';
      /** The cause as one stable word; `reason` is the text for users. */
      readonly cause:
        | 'client-refused'
        | 'unknown-authority'
        | 'wrong-name'
        | 'expired'
        | 'not-yet-valid'
        | 'connection-refused'
        | 'timed-out'
        | 'unreachable'
        | 'name-not-found'
        | 'plain-http'
        | 'protocol'
        | 'reset'
        /** Not attempted: this machine's TLS library does not support it. */
        | 'not-spoken-here'
        | 'other';
      readonly reason: string;
      /** For a rejected client: the meaning of the server's alert, alone. */
      readonly alert?: string;
      readonly chain: string;
      readonly elapsedMs: number;
      /** The last stage reached: a time-out at `connect` points to a firewall, a later one to the daemon. */
      readonly stage?: 'connect' | 'handshake' | 'answer';
      /** The answer was not TLS. */
      readonly notTls?: boolean;
    };

export type Probe = (request: ProbeRequest) => Promise<ProbeOutcome>;

/** A signing request to a CA whose key is on another machine. */
export type SignRequest = {
  /** PKCS#10, PEM. */
  readonly csr: string;
  readonly profile: SignProfile;
  readonly days: number;
  /** The host's or the client's name in the store. */
  readonly name: string;
  /** The common name in the request. */
  readonly commonName: string;
  /** SANs that the certificate must contain; for servers. */
  readonly sans?: readonly San[];
  /** PEM of the signing CA, then of older ones: the certificate must chain to one of them, an issuing CA's to the first. */
  readonly ca: string;
  readonly now: Date;
};

/** Certificate and chain, PEM, leaf first. Fails with E_SIGN_COMMAND, E_SIGN_ANSWER, E_CA_LEAF_ONLY, E_ISSUER_…. */
type Sign = (ca: ExternalCa, request: SignRequest) => Promise<string>;

/** `hash`: the signature's digest. */
export type TokenRequest = { readonly pin: Secret; readonly hash: string; readonly body: Uint8Array };

/** Signs with a key in a token. Fails with E_TOKEN (exit 4), E_INTERRUPTED. */
type SignByToken = (token: CaToken, request: TokenRequest) => Promise<Buffer>;

/** The user's streams: results on out, progress and questions on err. */
export type Io = {
  out(text: string): void;
  err(text: string): void;
  readonly outIsTerminal: boolean;
  readonly errIsTerminal: boolean;
  readonly inIsTerminal: boolean;
  readonly columns: number;
  /** Colours are enabled (a terminal, no NO_COLOR, no --no-color). */
  readonly colour: boolean;
};

export type Runtime = {
  readonly io: Io;
  now(): Date;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** The command name as typed: `docker-tls`, or `docker tls` as a plugin. `docker`: the same for docker. */
  readonly program: string;
  readonly docker: string;
  /** The user of this run, shown to other operators: `user@computer`. */
  readonly operator: string;
  readonly connect: Connect;
  /** Call after a round without changes: in the next round a host may show another key, if it is known by then. */
  forgetFirstKeys(): void;
  readonly probe: Probe;
  readonly sign: Sign;
  readonly signByToken: SignByToken;
  /** Aborted by Ctrl-C or SIGTERM: the run stops at the next safe point and releases its locks and connections. */
  readonly signal: AbortSignal;
};

/**
 * One host's progress line: each phase replaces the previous one; `done` or `failed` ends the line. Texts may come from a host: they are
 * cleaned.
 */
export type HostProgress = {
  phase(text: string): void;
  done(text?: string): void;
  failed(text: string): void;
  /** The work pauses, neither done nor failed: no tick, and not counted. Without a text, a terminal shows nothing. */
  pause(text?: string): void;
};

/** The progress of a run for the user (on err, and in `--log FILE`). Never pass it a secret. */
export type Progress = {
  host(name: string): HostProgress;
  note(text: string): void;
  /** Prints part of the result on out, above the live lines. From then on, on a terminal, a finished host gets no line of its own. */
  print(text: string): void;
  /** Time spent on questions so far, which is not host time; `changes`: from now on the store or a host has changed. */
  askedMs(): number;
  changes(): void;
};
