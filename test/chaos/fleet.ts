/** A fleet of real processes of the built command line, to be killed, drained and replaced. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';

const ROOT = path.resolve(import.meta.dirname, '../..');
const CLI = path.join(ROOT, 'bin/perennial.js');
const PRELOAD = path.join(import.meta.dirname, 'die-with-parent.js');
const LOADER = path.join(ROOT, 'test/support/ts-loader.js');
const LEVEL_ERROR = 50;
const KEPT_LINES = 30;

/** How a process ended. */
export type Ending = number | NodeJS.Signals;

/** What a process of a fleet is. */
export interface Post {
  readonly roles: string;
  /** Loaded before the program: absolute paths of modules. */
  readonly preload?: readonly string[];
  /** Of this process alone. */
  readonly env?: Readonly<Record<string, string>>;
  /** Run instead of the command line: a TypeScript file with arguments. */
  readonly program?: readonly [file: string, ...args: string[]];
  /** It kills itself, so its end is no complaint. */
  readonly mayDie?: boolean;
}

/** One process of a fleet. */
export interface Member {
  readonly roles: string;
  readonly post: Post;
  readonly pid: number;
  /** Whether it has said that it runs. */
  readonly isRunning: () => boolean;
  /** The end of its log. */
  readonly lastLines: readonly string[];
  /** Resolves when it runs. Rejects when it ends before. */
  readonly running: Promise<void>;
  /** Resolves when it has ended, whoever ended it. */
  readonly ended: Promise<Ending>;
  /**
   * Lets it hang, or go on: what a process does that was swapped out, or whose machine was suspended. SIGUSR2 blocks the
   * event loop of one that was started so (block-on-signal.js).
   */
  hang(signal: 'SIGSTOP' | 'SIGCONT' | 'SIGUSR2'): void;
  /** Sends a signal and waits for the end. */
  end(signal: 'SIGKILL' | 'SIGTERM'): Promise<Ending>;
}

/** The processes, each in a place of its own that is filled again. */
export interface Fleet {
  readonly members: readonly Member[];
  /** Puts a new process like it, or another one, into the place of one that has ended; does not wait until it runs. */
  replace(member: Member, post?: Post): Member;
  /** Resolves when all of them run. */
  whenRunning(): Promise<void>;
  /** Ends all of them by SIGTERM, at the same time. */
  drain(): Promise<readonly Ending[]>;
  /** Kills what is left. */
  close(): Promise<void>;
  /** Errors that processes have logged, and processes that ended without being told to. */
  readonly complaints: readonly string[];
}

/** What the processes are started with. */
export interface FleetOptions {
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  /** Each process, or only its roles. */
  readonly roles: readonly (string | Post)[];
}

/** The environment of this process without any setting of Perennial (which refuses those it does not know) or of Node. */
export function outerEnv(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('PERENNIAL_'));
  return { ...Object.fromEntries(kept), NODE_OPTIONS: '' };
}

/** Starts a fleet; does not wait until it runs. */
export function startFleet({ folder, env, roles }: FleetOptions): Fleet {
  const complaints: string[] = [];
  const start = (post: Post): Member => startMember(folder, env, post, complaints);
  const members = roles.map((post) => start(typeof post === 'string' ? { roles: post } : post));
  return {
    members,
    complaints,
    replace: (member, post = member.post) => {
      const place = members.indexOf(member);
      if (place < 0) throw new Error('this process is of no place in the fleet');
      return (members[place] = start(post));
    },
    whenRunning: async () => void (await Promise.all(members.map((member) => member.running))),
    drain: async () => Promise.all(members.map(async (member) => member.end('SIGTERM'))),
    close: async () => void (await Promise.all(members.map(async (member) => member.end('SIGKILL')))),
  };
}

function startMember(folder: string, env: FleetOptions['env'], post: Post, complaints: string[]): Member {
  const { roles } = post;
  const child = spawn(process.execPath, argumentsOf(folder, post), {
    env: { ...outerEnv(), ...env, ...post.env, LOG_LEVEL: 'info' },
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  let asked = post.mayDie ?? false;
  let runs = false;
  const ended = (once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>).then(
    ([code, signal]): Ending => code ?? signal ?? 'SIGKILL',
  );
  const lines = readLog(child, (line) => {
    if (line.level >= LEVEL_ERROR) complaints.push(`${roles}: ${line.text}`);
  });
  const hearEnd = async (): Promise<void> => {
    const ending = await ended;
    if (!asked) complaints.push(`${roles}: ended by itself (${ending})\n${lines.last.join('\n')}`);
  };
  void hearEnd();
  const running = Promise.race([
    lines.running.then(() => void (runs = true)),
    ended.then(() => {
      throw new Error(`a process (${roles}) ended before it ran:\n${lines.last.join('\n')}`);
    }),
  ]);
  // Killed while it starts, it never runs: an error only for those who wait for it.
  running.catch(() => undefined);
  return {
    roles,
    post,
    pid: child.pid ?? 0,
    isRunning: () => runs,
    lastLines: lines.last,
    running,
    ended,
    hang: (signal) => void child.kill(signal),
    end: async (signal) => {
      asked = true;
      child.kill(signal);
      return ended;
    },
  };
}

function argumentsOf(folder: string, { roles, program, preload = [] }: Post): readonly string[] {
  const imports = [PRELOAD, ...preload, ...(program === undefined ? [] : [LOADER])].flatMap((file) => [
    '--import',
    file,
  ]);
  if (program !== undefined) return [...imports, ...program, folder];
  return [...imports, CLI, 'work', '--project', folder, '--roles', roles];
}

interface LogLine {
  readonly level: number;
  readonly text: string;
}

function readLog(child: ChildProcess, onLine: (line: LogLine) => void): { running: Promise<void>; last: string[] } {
  const last: string[] = [];
  const { stderr } = child;
  if (stderr === null) throw new Error('the log of a process is read from its standard error, which must be a pipe');
  const running = new Promise<void>((resolve) => {
    createInterface({ input: stderr }).on('line', (text) => {
      last.push(text);
      if (last.length > KEPT_LINES) last.shift();
      const { level, msg } = parse(text);
      if (msg === 'running') resolve();
      onLine({ level, text });
    });
  });
  return { running, last };
}

/** What is no line of the log was written by Node or by a crash: an error. */
function parse(text: string): { readonly level: number; readonly msg: string } {
  if (!text.startsWith('{"level"')) return { level: LEVEL_ERROR, msg: text };
  try {
    return JSON.parse(text) as { level: number; msg: string };
  } catch (error) {
    // Killed while it wrote.
    if (error instanceof SyntaxError) return { level: 0, msg: '' };
    throw error;
  }
}
