/** A mail server in a process of its own, lean enough never to be what is measured. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

/** What the sink's process says. */
export type SinkMessage =
  | { readonly kind: 'listening'; readonly port: number }
  | { readonly kind: 'count'; readonly taken: number }
  /** A mail was taken at this time of the system's clock, in ms with fractions. */
  | { readonly kind: 'taken'; readonly recipient: string; readonly atMs: number };

/** A running sink. */
export interface Sink {
  readonly host: string;
  readonly port: number;
  readonly url: string;
  /** Mails taken so far. */
  taken(): Promise<number>;
  /** From now on every mail is told to `onTaken`. */
  tell(onTaken: (recipient: string, atMs: number) => void): Promise<void>;
  close(): Promise<void>;
}

/** Starts a sink on a free port of 127.0.0.1; it ends with this process. */
export async function startSink(): Promise<Sink> {
  const main = path.join(import.meta.dirname, `sink-process${path.extname(import.meta.filename)}`);
  const child = fork(main, [], { env: { ...process.env, NODE_OPTIONS: '' } });
  let onTaken: (recipient: string, atMs: number) => void = () => undefined;
  let onOther: (message: Exclude<SinkMessage, { kind: 'taken' }>) => void = () => undefined;
  child.on('message', (message: SinkMessage) => {
    if (message.kind === 'taken') onTaken(message.recipient, message.atMs);
    else onOther(message);
  });
  const other = async (): Promise<Exclude<SinkMessage, { kind: 'taken' }>> =>
    new Promise((resolve) => {
      onOther = resolve;
    });
  const first = await other();
  if (first.kind !== 'listening') throw new Error(`the sink said ${first.kind} before it listened`);
  const ask = async (question: 'count' | 'tell'): Promise<number> => {
    const answer = other();
    child.send(question);
    const message = await answer;
    return message.kind === 'count' ? message.taken : 0;
  };
  const { port } = first;
  return {
    host: '127.0.0.1',
    port,
    url: `smtp://127.0.0.1:${port}`,
    taken: async () => ask('count'),
    tell: async (listener) => {
      onTaken = listener;
      await ask('tell');
    },
    close: async () => {
      const exited = once(child, 'exit');
      child.disconnect();
      await exited;
    },
  };
}
