/** The webhooks of providers as a part of the public server, with what is logged of them. */
import type { Hono } from 'hono';
import type { Provider } from '../../engine/mail/feedback/report.ts';
import type { Database } from '../../engine/store/database.ts';
import { errorFields, type Logger } from '../log.ts';
import { feedbackApp, type FeedbackListener } from './app.ts';
import { fetchText } from './fetch-text.ts';
import type { FeedbackSettings } from './settings.ts';

/** How often forged requests are reported: anybody can send them. */
const REPORT_EVERY_MS = 60_000;

/** Opens the webhooks with the machine's clock. */
export function openFeedback(db: Database, settings: FeedbackSettings, log: Logger): Hono {
  return feedbackApp({ db, settings, fetchText, now: () => Date.now(), told: listenerFor(log) });
}

function listenerFor(log: Logger): FeedbackListener {
  const forged = new Map<Provider, { toldAtMs: number; untold: number }>();
  return {
    taken: (provider, counts) => {
      const fields = { provider, ...counts };
      if ((counts.suppressed ?? 0) > 0) log.info(fields, 'dead addresses or complaints were suppressed');
      else log.debug(fields, 'events of mails came in');
    },
    forged: (provider) => {
      const last = forged.get(provider) ?? { toldAtMs: Number.NEGATIVE_INFINITY, untold: 0 };
      const untold = last.untold + 1;
      if (performance.now() - last.toldAtMs < REPORT_EVERY_MS) {
        forged.set(provider, { ...last, untold });
        return;
      }
      log.warn({ provider, requests: untold }, 'webhooks that are not proven to be the provider’s were refused');
      forged.set(provider, { toldAtMs: performance.now(), untold: 0 });
    },
    topic: (kind, arn) => {
      if (kind === 'subscribed') log.info({ topic: arn }, 'the subscription of an SNS topic was confirmed');
      else log.warn({ topic: arn }, 'an SNS topic ended its subscription: nothing of it comes in any more');
    },
    complaints: (rates) => {
      for (const { outcome, ...rate } of rates) {
        if (outcome === 'paused') log.warn(rate, 'a playbook was paused: too many readers complain about it');
        else if (outcome === 'warned') log.warn(rate, 'readers complain about a playbook; over 0.3 % it is paused');
      }
    },
    failed: (provider, error) => {
      log.error(
        { provider, ...errorFields(error) },
        'a webhook could not be taken in; its provider was told to send it again',
      );
    },
  };
}
