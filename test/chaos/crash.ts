/** Workers that kill themselves at a named point (crashing.ts). */
import path from 'node:path';
import type { Post } from './fleet.ts';

/** Where: around the claim, after the message's last byte, after the server's 250, before that is recorded or hinted at. */
export const CRASH_POINTS = [
  'before-claim',
  'after-claim',
  'after-last-byte',
  'after-250',
  'before-recording',
  'before-enqueueing',
] as const;
export type CrashPoint = (typeof CRASH_POINTS)[number];

/** When a process kills itself. */
export interface Crash {
  readonly point: CrashPoint;
  /** The first time, or a later one. From 1. */
  readonly atPass: number;
  /** Counts mails to this address alone. */
  readonly address?: string;
  /** Counts jobs that name this customer alone. */
  readonly customer?: number;
}

/** The post of such a worker. */
export function crashingWorker(crash: Crash): Post {
  const file = path.join(import.meta.dirname, 'crashing.ts');
  return { roles: 'advance,deliver', program: [file, JSON.stringify(crash)], mayDie: true };
}
