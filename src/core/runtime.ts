/**
 * The Runtime: every effect that an action may have, as one object that is passed in, so that tests pass their own.
 * The types here are the contract between the adapters (which never import one another) and the engine.
 */

import type { Duplex } from 'node:stream';
import type { DockerTlsError } from '../errors/errors.ts';
import type { ClientCopies } from './adapters/store/records.ts';
import type { CaToken, ExternalCa, SignProfile } from './domain/external-ca.ts';
import type { San } from './domain/pki/names.ts';
import type { Login } from './domain/quote.ts';
import type { Secret } from './domain/secret.ts';

/** How to reach a host by SSH, as a person asked for it; what is missing is found in `~/.ssh/config` (by `ssh -G`). */
export type SshOptions = {
  /** Short name for messages and the store. */
  readonly host: string;
  /** Of a jump host: the host that it leads to. */
  readonly jumpTo?: string;
  /** What to dial: a name or address, an alias of the ssh config, or `local` for this machine. */
  readonly destination: string;
  readonly user?: string;
  readonly port?: number;
  readonly identities?: readonly string[];
  readonly configFile?: string;
  /** Jump hosts, nearest first, each `[user@]name[:port]`. */
  readonly jump?: readonly string[];
  /** Absent: ssh2, and openssh where the ssh config or a key needs it. */
  readonly transport?: 'ssh2' | 'openssh';
  /** `strict`: only known keys (asks where `ask.hostKey` is given); `accept-new`: store unknown keys; `SHA256:…` or `TYPE BASE64`: exactly this one. */
  readonly hostKey?: string;
  /** What the host showed at the first connection of this run: no other host is meant. */
  readonly firstKey?: HostKey;
  /** `false`: the command has no --host-key and takes hosts of the store alone: no hint names those ways. */
  readonly hostKeyFlag?: false;
  readonly knownHostsFile?: string;
  /** The session's tunnel is used. */
  readonly tunnels?: boolean;
  /** Everything runs as the user that logs in: the daemon is theirs. */
  readonly rootless?: true;
  /** The password for sudo, when the user needs one. */
  readonly sudoPassword?: Secret;
  readonly connectTimeoutMs?: number;
  readonly keepaliveMs?: number;
  /** Questions that only a person can answer; absent without a terminal. */
  readonly ask?: SshQuestions;
  readonly signal?: AbortSignal;
};

/** The key that a host showed; of a certificate, the key in it. */
export type HostKey = {
  readonly type: string;
  readonly base64: string;
  /** `SHA256:…`, as ssh prints it. */
  readonly fingerprint: string;
  /** A certificate authority that is trusted here vouches for it. */
  readonly certified?: boolean;
};

export type SshQuestions = {
  /** An unknown host key: true stores and uses it. */
  hostKey(question: { host: string; address: string; type: string; fingerprint: string }): Promise<boolean>;
  /** The passphrase of an encrypted key file; asked once for a file, whatever the number of hosts. `again`: the answer before was wrong. */
  passphrase(question: { file: string; again?: boolean }): Promise<Secret>;
  /** A login password or a keyboard-interactive prompt (`echo` false: hidden). The prompt is cleaned. `why`: what was not accepted before. */
  password(question: { host: string; prompt: string; echo: boolean; why?: string }): Promise<Secret>;
  /** A security key waits to be touched: a notice, nothing is asked. `key`: its type and fingerprint. */
  touch?(notice: { host: string; key: string }): void;
  /** The password for sudo. Asked only if sudo wants one. `of`: whose, as far as sudo says it. `again`: the answer before was wrong. */
  sudoPassword?(question: { host: string; user: string; of?: string | undefined; again?: boolean }): Promise<Secret>;
};

/** One script for one phase: it runs by /bin/sh on the host and reads `input` from its standard input. */
export type ScriptRequest = {
  /** Names the phase in errors and time-outs, for instance `facts`. */
  readonly phase: string;
  /** POSIX shell text, constant but for values put in by shellQuote; never secret. */
  readonly script: string;
  /** What the script reads from stdin (secret files included), in this order. */
  readonly input?: readonly (Uint8Array | Secret)[];
  /** Run as root: directly when the user is root, else through sudo. On a session of a rootless Docker: as that user. */
  readonly asRoot: boolean;
  readonly timeoutMs: number;
  /** Called for each complete line of standard output while the script runs (cleaned by the receiver). */
  readonly onLine?: (line: string) => void;
  readonly signal?: AbortSignal;
};

/** What the script printed; a login shell's banners are not part of it. `status` is the script's own exit status. */
export type ScriptResult = { readonly status: number; readonly stdout: Buffer; readonly stderr: string };

/** A connection to a host. Errors: E_SSH_LOST when it breaks, E_SSH_TIMEOUT, E_SUDO_…; a script's own status is a result, not an error. */
export type HostSession = {
  readonly host: string;
  /** How it was logged in to, for commands to paste. */
  readonly login: Login;
  /** The user that logged in. */
  readonly user: string;
  /** The address that was dialled, as resolved from the ssh config: what a client would dial as well. */
  readonly dialled: string;
  /** Absent: this machine itself. */
  readonly hostKey?: HostKey;
  /** Which transport, and why where it is not ssh2: for -v. */
  readonly transport?: string;
  /** `key`: a key or an agent accept us, with no password beside it. Absent: something else, or not known. */
  readonly authenticatedBy?: 'key';
  run(request: ScriptRequest): Promise<ScriptResult>;
  /** Says that a run as root comes next: what it needs on the host is begun. Absent where that could be in the way of a run. */
  prepare?(): void;
  /** TCP connections from the jump host, or from the host itself where there is none. */
  readonly tunnel?: Tunnel;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
};

/** Errors of `open`: E_SSH_… where ssh does not forward, or the connection is refused there. */
export type Tunnel = {
  /** Where its connections begin, for instance `the jump host gate.example.org`. */
  readonly via: string;
  open(address: string, port: number): Promise<Duplex>;
  /** The ssh connection is over. */
  readonly ended: Promise<void>;
};

export type Connect = (options: SshOptions) => Promise<HostSession>;

/** Who dials a daemon, and with which credentials, for a probe. */
export type ProbeCredentials = { readonly cert: string; readonly key: Secret };

export type ProbeRequest = {
  readonly address: string;
  readonly port: number;
  /** Trusted CA certificates, PEM. */
  readonly ca: string;
  /** The name to verify in the server's certificate; default: address. */
  readonly serverName?: string;
  readonly credentials?: ProbeCredentials;
  /** Does not verify the server, as an intruder would not: for asking whether it accepts untrusted clients. Never with credentials of ours. */
  readonly anyServer?: boolean;
  readonly maxVersion?: 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';
  readonly plain?: boolean;
  /** Makes the connection, for instance through ssh; default: TCP from here. */
  readonly dial?: () => Promise<Duplex>;
  /** GET this path over the connection (default `/version`): a refused TLS 1.3 client finds out at its first read. */
  readonly path?: string;
  readonly timeoutMs: number;
};

export type ProbeOutcome =
  | {
      readonly kind: 'accepted';
      readonly status: number;
      readonly body: string;
      readonly protocol: string;
      /** The server's certificate chain as served, PEM. Empty over plain HTTP. */
      readonly chain: string;
      readonly elapsedMs: number;
    }
  | {
      readonly kind: 'refused';
      /** The cause in one stable word; `reason` says it for users. */
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
        /** Nothing was tried: this computer's own TLS cannot. */
        | 'not-spoken-here'
        | 'other';
      readonly reason: string;
      /** Of a rejected client: what the server's alert says of it, alone. */
      readonly alert?: string;
      readonly chain: string;
      readonly elapsedMs: number;
      /** How far it came: a time-out at `connect` is a firewall's, a later one the daemon's. */
      readonly stage?: 'connect' | 'handshake' | 'answer';
      /** What answered spoke no TLS at all. */
      readonly notTls?: boolean;
    };

export type Probe = (request: ProbeRequest) => Promise<ProbeOutcome>;

/** What a CA whose key is on another machine is asked to sign. */
export type SignRequest = {
  /** PKCS#10, PEM. */
  readonly csr: string;
  readonly profile: SignProfile;
  readonly days: number;
  /** The host's or the client's name in the store. */
  readonly name: string;
  /** The common name of the request. */
  readonly commonName: string;
  /** Names that the certificate has to have; for servers. */
  readonly sans?: readonly San[];
  /** PEM of the CA that signs, then of older ones: the certificate has to lead to one of them, an issuing CA's to the first. */
  readonly ca: string;
  readonly now: Date;
};

/** Certificate and chain, PEM, the leaf first. Fails with E_SIGN_COMMAND, E_SIGN_ANSWER, E_CA_LEAF_ONLY, E_ISSUER_…. */
export type Sign = (ca: ExternalCa, request: SignRequest) => Promise<string>;

/** `hash`: of the signature. */
export type TokenRequest = { readonly pin: Secret; readonly hash: string; readonly body: Uint8Array };

/** Signs by a key that is in a token. Fails with E_TOKEN (exit 4), E_INTERRUPTED. */
export type SignByToken = (token: CaToken, request: TokenRequest) => Promise<Buffer>;

export type CopiesRequest = {
  readonly copies: readonly ClientCopies[];
  /** The new credentials. */
  readonly files: { readonly ca: string; readonly cert: string; readonly key: Secret };
  /** PEM of certificates by which files in a config directory are known as ours. */
  readonly known: readonly string[];
};

/** What became of docker's copies of a client's credentials on this computer. */
export type CopiesOutcome = {
  /** Contexts that hold the new credentials now (or held them already). */
  readonly contexts: readonly string[];
  /** Whether a Docker config directory itself does. */
  readonly directory: boolean;
  /** Copies that were outdated and are up to date now, in words. */
  readonly updated: readonly string[];
  /** Copies that are gone or replaced by files of another origin, in words; they are left alone. */
  readonly missing: readonly string[];
  /** Copies that could not be renewed (E_CLIENT_COPY); the others were. */
  readonly problems: readonly DockerTlsError[];
};

/** Where users read: results on out, progress and questions on err. */
export type Io = {
  out(text: string): void;
  err(text: string): void;
  readonly outIsTerminal: boolean;
  readonly errIsTerminal: boolean;
  readonly inIsTerminal: boolean;
  readonly columns: number;
  /** Colours are wanted (a terminal, no NO_COLOR, no --no-color). */
  readonly colour: boolean;
};

export type Runtime = {
  readonly io: Io;
  now(): Date;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** What users type to run this program: `docker-tls`, or `docker tls` where it is a plugin; and to run docker likewise. */
  readonly program: string;
  readonly docker: string;
  /** Who runs this, for other operators to see: `user@computer`. */
  readonly operator: string;
  readonly connect: Connect;
  /** A round that changes nothing is over: in the next one a host may show another key, if that is known by then. */
  forgetFirstKeys(): void;
  readonly probe: Probe;
  readonly sign: Sign;
  readonly signByToken: SignByToken;
  refreshCopies(request: CopiesRequest): Promise<CopiesOutcome>;
  /** Aborted by Ctrl-C or SIGTERM: a run stops at the next safe place and releases what it holds. */
  readonly signal: AbortSignal;
};

/** The line of one host: a phase replaces the one before; `done` or `failed` ends the line. Texts may come from a host: they are cleaned. */
export type HostProgress = {
  phase(text: string): void;
  done(text?: string): void;
  failed(text: string): void;
  /** The work pauses and is neither done nor failed: no tick, and not counted. Without a text nothing is shown on a terminal. */
  pause(text?: string): void;
};

/** What a person watches during a run (on err, and in `--log FILE`). Never give it a secret. */
export type Progress = {
  host(name: string): HostProgress;
  note(text: string): void;
  /**
   * A part of the result, on out, while the run goes on: above the live lines. From then on the end of a host's work has no line of its own
   * where both are a terminal, since the result says it.
   */
  print(text: string): void;
  /** How long a person has been asked so far: no part of what a host took. */
  askedMs(): number;
};
