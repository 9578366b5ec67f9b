/** What deliveries are measured by: called from the path that a mail takes, so each call is a few additions. */
import type { Outcome } from '../../engine/mail/outcome.ts';
import type { ClaimedSend, MailLane } from '../../engine/store/claim.ts';
import type { SettleResult } from '../../engine/store/settle.ts';
import { MAILBOX_PROVIDERS, mailboxProviderOf } from './mailbox.ts';
import type { Metrics } from './metrics.ts';

/** Counts the mails of one process. */
export interface DeliveryMeter {
  claimed(lane: MailLane, sends: readonly ClaimedSend[]): void;
  /** Measures the mark of a hand-over. */
  handingOver(lane: MailLane, mark: () => Promise<boolean>): Promise<boolean>;
  /** An attempt failed for the time being: what is likely to fail again if tried at once. */
  retry(lane: MailLane, scope: RetryScope): void;
  /** A claim has its outcome, recorded; `null`: the process gave up recording it. */
  ended(lane: MailLane, send: ClaimedSend, result: SettleResult | null, tookMs: number): void;
}

/** What failed. */
export type RetryScope = Extract<Outcome, { readonly kind: 'retry' }>['scope'] | 'signing';

/** Opens the meter. `provider` is whose server takes the mail; `onProgress` hears of what the watchdog counts. */
export function openDeliveryMeter(
  metrics: Metrics,
  provider: string,
  onProgress: (lane: MailLane) => void,
): DeliveryMeter {
  beginAtZero(metrics, provider);
  return {
    claimed: (lane, sends) => {
      metrics.claims.inc({ lane }, sends.length);
      metrics.underWay.inc({ lane }, sends.length);
      for (const { send, now, waitMs } of sends) {
        metrics.claimLagSeconds.observe({ lane }, Math.max(0, now - send.dueAt) / 1_000);
        if (waitMs > 0) metrics.paceWaitSeconds.observe({ lane }, waitMs / 1_000);
      }
    },
    handingOver: async (lane, mark) => {
      const startedMs = performance.now();
      let result = 'failed';
      try {
        const handed = await mark();
        result = handed ? 'handed' : 'refused';
        return handed;
      } finally {
        metrics.handOverSeconds.observe({ lane }, (performance.now() - startedMs) / 1_000);
        metrics.handOvers.inc({ lane, result });
        onProgress(lane);
      }
    },
    retry: (lane, scope) => metrics.retries.inc({ lane, scope }),
    ended: (lane, send, result, tookMs) => {
      metrics.underWay.dec({ lane });
      if (result === null) return;
      metrics.deliverySeconds.observe({ lane }, tookMs / 1_000);
      const mailbox = mailboxProviderOf(send.address);
      metrics.sends.inc({ lane, outcome: outcomeOf(result), provider, mailbox });
      onProgress(lane);
    },
  };
}

/** A counter that begins with its first event hides that event: Prometheus sees only how counters grow. */
function beginAtZero(metrics: Metrics, provider: string): void {
  for (const lane of ['transactional', 'bulk']) {
    metrics.claims.inc({ lane }, 0);
    metrics.underWay.set({ lane }, 0);
    for (const result of ['handed', 'refused', 'failed']) metrics.handOvers.inc({ lane, result }, 0);
    for (const scope of ['message', 'domain', 'connection', 'signing']) metrics.retries.inc({ lane, scope }, 0);
    for (const outcome of ['sent', 'retry', 'failed', 'unknown', 'withheld', 'held']) {
      for (const mailbox of MAILBOX_PROVIDERS) metrics.sends.inc({ lane, outcome, provider, mailbox }, 0);
    }
  }
}

function outcomeOf(result: SettleResult): string {
  switch (result.kind) {
    case 'accepted':
      return 'sent';
    case 'retry':
      return result.delayMs === null ? 'failed' : 'retry';
    case 'permanent':
      return 'failed';
    case 'broken':
      return 'held';
    case 'doubtful':
      return 'unknown';
    case 'unknown':
    case 'withheld':
      return result.kind;
  }
}
