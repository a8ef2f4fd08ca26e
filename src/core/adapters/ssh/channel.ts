/** The contract of a transport: commands on a host, each with its streams and its end. Types only. */

import type { Login } from '../../domain/quote.ts';
import type { Secret } from '../../domain/secret.ts';
import type { HostKey, SshOptions, Tunnel } from '../../runtime.ts';
import type { Mark, SudoMode } from './frame.ts';

/** How a command ended, as the transport says it. `lost` holds the error when the connection broke. */
export type ChannelEnd = { readonly status?: number; readonly signal?: string; readonly lost?: Error };

export type Channel = {
  /** Queues bytes for the command's stdin; errors of a closed pipe are not reported here. */
  write(bytes: Uint8Array): void;
  endInput(): void;
  onOutput(listener: (stream: 'stdout' | 'stderr', chunk: Buffer) => void): void;
  readonly ended: Promise<ChannelEnd>;
  /** The answer is complete: lets go of the command and of what it may have left running. May be called twice. */
  close(): void;
  /** Gives the command up: ends it as well as the transport can, then closes. May be called twice. */
  kill(): void;
};

/** Starts a command of these words. Rejects with a DockerTlsError when the host refuses or the connection is lost. */
export type OpenChannel = (words: readonly string[]) => Promise<Channel>;

/** What is known about sudo on a host for the life of a session. */
export type SudoKnowledge = {
  /** Undefined until a first run as root came through. */
  asks?: boolean;
  password?: Secret;
};

/** An exec that was begun before its script is there. */
export type WaitingExec = { readonly mark: Mark; readonly mode: SudoMode; readonly channel: Promise<Channel> };

export type ExecContext = {
  readonly options: SshOptions;
  readonly user: string;
  /** For the commands in hints. */
  readonly login: Login;
  /** Told to the scripts as OPERATOR. */
  readonly operator: string;
  readonly open: OpenChannel;
  readonly sudo: SudoKnowledge;
  /** For the life of a session. */
  readonly waiting: { exec?: WaitingExec | undefined };
};

/** What a transport gives: a way to start commands, and the end of it all. */
export type Transport = {
  readonly user: string;
  /** Who is at work, where it is not the user that logs in: `sudo docker-tls … local`. */
  readonly operator?: string;
  readonly dialled: string;
  readonly transport: 'ssh2' | 'openssh' | 'local';
  /** Why ssh2 could not be used: for -v. */
  readonly reason?: string;
  readonly hostKey?: HostKey | undefined;
  /** A key (or an agent's) accept us, and no password was needed. */
  readonly byKey?: () => boolean;
  readonly open: OpenChannel;
  readonly tunnel: Tunnel;
  close(): Promise<void>;
};
