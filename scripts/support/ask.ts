/** Asking the person at the terminal. */
import process from 'node:process';
import { createInterface } from 'node:readline/promises';

/** Shows a question and gives the line that was typed; an end of input is an empty answer. */
export type Ask = (question: string) => Promise<string>;

/** Asks at this process's terminal, on standard error; null where nobody sits there. */
export function processAsk(): Ask | null {
  if (!process.stdin.isTTY) return null;
  return async (question) => {
    const lines = createInterface({ input: process.stdin, output: process.stderr });
    const ended = new Promise<string>((resolve) => {
      lines.once('close', () => {
        resolve('');
      });
    });
    try {
      return await Promise.race([lines.question(question), ended]);
    } finally {
      lines.close();
    }
  };
}
