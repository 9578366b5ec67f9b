import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';

/** A Node process that runs a TypeScript file of the project, for tests that kill and race real processes. */
export interface TestProcess {
  readonly child: ChildProcess;
  /** The next line it prints; lines are kept until asked for. Rejects when it ends without one. */
  nextLine(): Promise<string>;
  /** Sends a signal and waits for the end; gives the exit code, or the signal that ended it. */
  end(signal: NodeJS.Signals): Promise<number | NodeJS.Signals>;
}

/**
 * Starts `file` (an absolute path) with arguments. What it writes to stderr shows in the test's output.
 * Its standard input is a pipe that closes when the test ends, so that it can end itself then.
 */
export function startProcess(file: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): TestProcess {
  const loader = path.join(import.meta.dirname, 'ts-loader.js');
  const child = spawn(process.execPath, ['--import', loader, file, ...args], {
    env: { ...process.env, NODE_OPTIONS: '', ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ended = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  return {
    child,
    async nextLine() {
      const line = await lines.next();
      if (line.done === true) throw new Error(`${path.basename(file)} ended without printing another line.`);
      return line.value;
    },
    async end(signal) {
      child.kill(signal);
      const [code, endedBy] = await ended;
      return code ?? endedBy ?? 'SIGKILL';
    },
  };
}
