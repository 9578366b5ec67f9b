/** What watches one process from the inside: its metrics and state over HTTP, its watchdog, and the ear at its event loop. */
import { collectDefaultMetrics } from 'prom-client';
import { openDatabase } from '../../engine/store/database.ts';
import { closeEach, type Closer } from '../closing.ts';
import type { Parts } from '../parts.ts';
import type { Activity } from './activity.ts';
import { openFleetGauges } from './fleet-gauges.ts';
import { startHeartbeat } from './heartbeat.ts';
import { unreadiness, type ProcessState } from './readiness.ts';
import { startMonitorServer } from './server.ts';
import { startWatchdog, type Stuck } from './watchdog.ts';

/** How a process is watched. */
export interface WatchOptions {
  /** As the metrics name this process. */
  readonly version: string;
  readonly roles: readonly string[];
  /** Ends the process: it has work and does nothing. */
  readonly onStuck: (stuck: Stuck) => void;
}

/** The watch over one process. */
export interface Monitor {
  /** Where it listens. */
  readonly url: string;
  /** What `/readyz` says of the process from now on; at first, that it starts. */
  is(state: ProcessState): void;
  /** Watches the work from now on, until stopped. */
  watch(activity: Activity): { stop(): Promise<void> };
  /** Stops answering. */
  close(): Promise<void>;
}

/** Starts answering; work is watched from `watch` on. */
export async function openMonitor(parts: Parts, options: WatchOptions): Promise<Monitor> {
  const { config, queue, metrics, log } = parts;
  const { registry } = metrics;
  // A connection of its own: what it tells must not wait for the work that it tells of.
  const db = openDatabase(parts.db.url, { max: 1, name: 'perennial monitor', indexed: true });
  let state: ProcessState = 'starting';
  const closers: Closer[] = [{ what: 'the connection of the metrics', close: async () => db.close() }];
  const close = async (): Promise<void> => closeEach(closers.splice(0).reverse(), log);
  try {
    collectDefaultMetrics({ register: registry });
    metrics.info.set({ version: options.version, roles: options.roles.join(',') }, 1);
    const server = await startMonitorServer(
      { host: config.metricsHost, port: config.metricsPort },
      {
        registry,
        refresh: openFleetGauges(registry, db, queue),
        unreadiness: async (excluded) => unreadiness({ db, queue, state: () => state }, excluded),
        log,
      },
    );
    closers.push({ what: 'the server of the metrics', close: async () => server.close() });
    const limitMs = config.watchdogMs;
    return {
      url: server.url,
      is: (next) => {
        state = next;
      },
      watch: (activity) => {
        const heart = startHeartbeat(limitMs, log.bindings());
        const dog = startWatchdog({ activity, db, metrics, log, limitMs, onStuck: options.onStuck });
        return {
          stop: async () => {
            await dog.stop();
            await heart.stop();
          },
        };
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
