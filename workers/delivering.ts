/**
 * The deliver worker: claims due sends of hinted customers, composes the mails, hands them over and records how they
 * ended. Every decision is made in the claim; this file only carries mails.
 */
import { ComposeError, type ComposedMail } from '../engine/message/compose.ts';
import { RenderError } from '../engine/message/scope.ts';
import type { SigningKey } from '../engine/message/link-token.ts';
import type { AnswerLinks } from '../engine/message/survey.ts';
import { claimSends, type ClaimedSend, type MailLane } from '../engine/store/claim.ts';
import type { ReleaseCache } from '../engine/store/context.ts';
import type { Database } from '../engine/store/database.ts';
import type { HandOver, HandOverRequest } from '../engine/store/hand.ts';
import type { SettleResult } from '../engine/store/settle.ts';
import type { Provider } from '../engine/mail/feedback/report.ts';
import { retryDelayMs } from '../engine/mail/backoff.ts';
import type { Outcome, Transport } from '../engine/mail/transport.ts';
import type { ClaimSize } from './claim-size.ts';
import { recordRefused } from '../engine/store/feedback.ts';
import type { Hints } from './hints.ts';
import { composeSend } from './composing.ts';
import type { Holding } from './holding.ts';
import { errorFields, type Logger } from './log.ts';
import type { DeliveryMeter } from './monitoring/meter.ts';
import type { Pacing } from './pacing.ts';
import type { RenderErrors } from './render-errors.ts';
import { postponed, refusalOf, refusesSender } from './returned-mail.ts';
import type { Room } from './room.ts';
import type { Settling } from './settling.ts';
import type { Signer } from './signing.ts';

export type { MailLane } from '../engine/store/claim.ts';

/** What a deliver worker needs. */
export interface DeliveryParts {
  readonly db: Database;
  readonly cache: ReleaseCache;
  readonly hints: Hints;
  readonly handOver: HandOver;
  readonly holding: Holding;
  readonly settling: Settling;
  readonly transports: Readonly<Record<MailLane, Transport>>;
  readonly claimSize: ClaimSize;
  /** For mails of the lane from their claim to their recorded outcome. */
  readonly room: Room;
  /**
   * For mails from their composing to the server's answer: a few more than there are connections. Composing all that
   * is claimed at once would let every conversation wait meanwhile.
   */
  readonly desk: Room;
  readonly pacing: Pacing;
  /** True once the process is to end: then nothing more is claimed. */
  readonly isDraining: () => boolean;
  /** For the mails of surveys; null without a public address. */
  readonly links: AnswerLinks | null;
  /** Signs return paths. */
  readonly key: SigningKey;
  /** Whose server the mail goes to; null: none that reports by webhooks. */
  readonly provider: Provider | null;
  readonly signer: Signer;
  readonly renderErrors: RenderErrors;
  readonly meter: DeliveryMeter;
  readonly log: Logger;
}

/**
 * Mails of one lane that one process may have without a recorded outcome: as many as one group commit takes. Without a
 * bound, outcomes that wait for a slow database would be as many as all its jobs have claimed. When the process is killed,
 * those that were accepted are known (`HandOver.accepted`), and in doubt are only those in a conversation, the next ones
 * in it included.
 */
export const MAX_UNDER_WAY = 256;

/** Claims and delivers what of these customers is due in the lane; resolves when every outcome is recorded. */
export async function deliver(parts: DeliveryParts, lane: MailLane, customerIds: readonly number[]): Promise<number> {
  let delivered = 0;
  let due = customerIds;
  while (due.length > 0 && !parts.isDraining()) {
    const max = parts.claimSize.next();
    const { server } = parts.transports[lane];
    const { claimed, planned } = await claimSends(parts.db, parts.cache, lane, due, { max, server });
    const claimedAtMs = performance.now();
    parts.meter.claimed(lane, claimed);
    const other = lane === 'bulk' ? 'transactional' : 'bulk';
    void parts.hints.send({ [other]: planned[other] });
    const carried = await Promise.all(
      claimed.map(async (send) => {
        await parts.pacing.waitForPlace(send, claimedAtMs);
        return { send, result: await carry(parts, lane, send, claimedAtMs) };
      }),
    );
    const unused = carried.filter(({ result }) => result === 'withheld' || result === 'broken');
    await parts.pacing.returnPlaces(
      lane,
      unused.map(({ send }) => send),
    );
    delivered += claimed.length;
    // What is due and could not be claimed although there was room is not ours to take now.
    due = claimed.length < max ? [] : planned[lane];
  }
  return delivered;
}

async function carry(
  parts: DeliveryParts,
  lane: MailLane,
  send: ClaimedSend,
  claimedAtMs: number,
): Promise<SettleResult['kind']> {
  const startedMs = performance.now();
  await parts.room.enter();
  let recorded: SettleResult | null = null;
  try {
    const result = atDesk(parts, lane, send, claimedAtMs);
    const timed = result.finally(() => parts.claimSize.took(performance.now() - startedMs));
    await parts.settling.settle(noted(parts, timed));
    const settled = await result;
    recorded = settled;
    if (settled.kind === 'broken' && settled.inARow !== undefined) {
      await parts.renderErrors.held(send.send.playbook, settled.reason, settled.inARow);
    }
    if (settled.kind === 'permanent' || (settled.kind === 'retry' && refusesSender(settled.reason))) {
      await takeRefusal(parts, settled.sendId, settled.reason);
    }
    return settled.kind;
  } finally {
    parts.meter.ended(lane, send, recorded, performance.now() - claimedAtMs);
    parts.holding.end(send);
    parts.room.leave();
  }
}

/** That it was accepted is noted before its outcome, which takes longer, locks the row. */
async function noted(parts: DeliveryParts, result: Promise<Carried>): Promise<Carried> {
  const carried = await result;
  if (carried.kind === 'accepted') await parts.handOver.accepted(carried);
  return carried;
}

/** After the failure is on record, or suppressing would take the claim back. Lost with its process, the next mail says it again. */
async function takeRefusal(parts: DeliveryParts, sendId: number, reason: string): Promise<void> {
  const recipient = refusalOf(reason);
  if (recipient === null) return;
  try {
    const outcome = await recordRefused(parts.db, sendId, recipient);
    if (outcome === 'suppressed')
      parts.log.info({ send: sendId, status: recipient.status }, 'a dead address was suppressed');
    else if (outcome === 'recorded' && recipient.verdict === 'sender')
      parts.log.warn(
        { send: sendId, status: recipient.status },
        'a domain refuses the sender and is held: see "perennial pace"',
      );
  } catch (error) {
    parts.log.error({ send: sendId, ...errorFields(error) }, 'what a server said of an address could not be recorded');
  }
}

/** An outcome; of a mail that could not be rendered, with how many of its playbook failed so in a row. */
type Carried = SettleResult & { readonly inARow?: number };

async function atDesk(parts: DeliveryParts, lane: MailLane, send: ClaimedSend, claimedAtMs: number): Promise<Carried> {
  if (send.doubtAt !== null) {
    const { sendId, fence, customerId, doubtAt: at } = send;
    return { sendId, fence, customerId, kind: 'doubtful', at };
  }
  await parts.desk.enter();
  try {
    if (parts.pacing.isTooLate(send, claimedAtMs)) {
      return { sendId: send.sendId, fence: send.fence, customerId: send.customerId, kind: 'withheld' };
    }
    parts.holding.claimed(send);
    return await resultOf(parts, lane, send);
  } finally {
    parts.desk.leave();
  }
}

async function resultOf(parts: DeliveryParts, lane: MailLane, send: ClaimedSend): Promise<Carried> {
  const { sendId, fence, customerId } = send;
  let mail: ComposedMail;
  try {
    mail = composeSend(send, parts.links, parts.key, parts.provider);
  } catch (error) {
    // Composing is pure, so it would fail the same way at every further try: held, whatever the error is.
    reportBroken(parts.log, send, error);
    const reason = error instanceof Error ? error.message : String(error);
    const inARow =
      error instanceof RenderError ? parts.renderErrors.failed(send.send.playbook, kindOf(error)) : undefined;
    return { sendId, fence, customerId, kind: 'broken', reason, ...(inARow === undefined ? {} : { inARow }) };
  }
  parts.renderErrors.wrote(send.send.playbook, send.now);
  const signed = await parts.signer.sign(mail, send.release.company, send.now);
  const outcome: Outcome =
    signed.kind === 'unsigned'
      ? { kind: 'retry', reason: signed.reason, code: null, scope: 'connection' }
      : postponed(
          await parts.transports[lane].deliver(signed.mail, async () =>
            parts.meter.handingOver(lane, async () => handOver(parts, { sendId, fence })),
          ),
        );
  if (outcome.kind === 'retry') {
    parts.meter.retry(lane, signed.kind === 'unsigned' ? 'signing' : outcome.scope);
    await parts.pacing.heed(send, outcome);
  }
  return { sendId, fence, customerId, ...reported(outcome, send.attempts + 1) };
}

async function handOver(parts: DeliveryParts, send: HandOverRequest): Promise<boolean> {
  const handed = await parts.handOver.handOver(send);
  if (handed) parts.holding.begin(send);
  return handed;
}

/** What makes two errors equal: their messages may quote the value of one customer. */
function kindOf({ code, path }: RenderError): string {
  return `${code} ${path}`;
}

function reportBroken(log: Logger, { sendId, send }: ClaimedSend, error: unknown): void {
  const fields = { send: sendId, template: send.template };
  if (error instanceof RenderError) {
    log.error({ ...fields, code: error.code, path: error.path }, 'a mail could not be written');
    return;
  }
  if (error instanceof ComposeError) {
    log.error({ ...fields, code: error.code, field: error.field }, 'a mail could not be written');
    return;
  }
  log.error(
    { ...fields, err: error },
    'a mail could not be written, for a reason that was not foreseen: please report it',
  );
}

type Reported =
  | { readonly kind: 'accepted' | 'withheld' }
  | { readonly kind: 'permanent' | 'unknown'; readonly reason: string }
  | { readonly kind: 'retry'; readonly reason: string; readonly delayMs: number | null };

function reported(outcome: Outcome, attempts: number): Reported {
  switch (outcome.kind) {
    case 'accepted':
    case 'withheld':
      return { kind: outcome.kind };
    case 'permanent':
    case 'unknown':
      return { kind: outcome.kind, reason: outcome.reason };
    case 'retry':
      // Jitter keeps mails that failed together from coming back together; nothing else depends on it.
      return { kind: 'retry', reason: outcome.reason, delayMs: retryDelayMs(attempts, Math.random(), outcome.scope) };
  }
}
