import { spawn } from 'node:child_process';

/** An account of the operating system that the server runs as. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
  readonly name: string;
}

/** How a short-lived program ended. `exitCode` is null when a signal ended it or it could not be started. */
export interface Outcome {
  readonly exitCode: number | null;
  readonly output: string;
}

/**
 * The environment of the server and its tools: none of the caller's `PG*` variables (they would redirect
 * it), and a fixed language and zone, so that messages and defaults are the same on every machine.
 */
export function serverEnv(): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C', LANG: 'C', TZ: 'UTC' };
}

/** The spawn options that make a child run as `account`; none for the caller's own account. */
export function asAccount(account: Account | null): { uid?: number; gid?: number } {
  return account === null ? {} : { uid: account.uid, gid: account.gid };
}

/**
 * Runs a short-lived program as `account` (null: the caller's own) and gathers what it prints.
 * It never throws: a program that cannot be started has exit code null and the reason as its output.
 */
export function run(program: string, args: readonly string[], account: Account | null): Promise<Outcome> {
  return new Promise((resolve) => {
    let output = '';
    // The caller's own folder may be closed to the account, and a child cannot start in a folder it cannot enter.
    const child = spawn(program, args, {
      ...asAccount(account),
      cwd: '/',
      env: serverEnv(),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stdout.on('data', (part: Buffer) => (output += part.toString()));
    child.stderr.on('data', (part: Buffer) => (output += part.toString()));
    child.on('error', (error) => resolve({ exitCode: null, output: error.message }));
    child.on('close', (exitCode) => resolve({ exitCode, output }));
  });
}
