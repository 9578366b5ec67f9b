/** What is done about a mail of which nobody knows whether the server took it. docs/architecture.md P2. */
import type { UnknownPolicy } from '../playbook/types.ts';
import type { Instant } from '../time/types.ts';
import type { StoreContext } from './context.ts';
import type { OpenSend, OpenStatus, Resolution } from './open-sends.ts';

const MINUTE = 60_000;
/**
 * How long the first copy, and each further one, of a mail waits whose server did not answer. After so many, another one is
 * worse than none.
 */
const RESEND_AFTER_MS: readonly number[] = [MINUTE, 5 * MINUTE, 15 * MINUTE];

/** The playbook's own policy; by default `resend` for transactional mail and `assume_sent` for all other. */
export function unknownPolicyOf(of: OpenSend, ctx: StoreContext): UnknownPolicy {
  const { playbook, version } = ctx.ids.version(of.versionId);
  return ctx.playbookOf(playbook, version).unknownPolicy ?? (of.send.transactional ? 'resend' : 'assume_sent');
}

/** Resolves a mail that the server has accepted. `from`: states from which that may be recorded. */
export function resolveAccepted(of: OpenSend, from: readonly OpenStatus[], ctx: StoreContext): Resolution {
  const settlement = { outcome: 'sent', at: of.handedAt ?? ctx.now } as const;
  const rest = { dueAt: null, attempt: false, resend: false, reason: null, heldError: null };
  return { of, from, status: 'sent', settlement, ...rest };
}

/**
 * Resolves a handed mail of which its process says no more: on record is that it was accepted, or nobody knows. It has waited
 * for its lease, and nothing speaks against the server, so a first copy goes at once.
 */
export function resolveLeft(of: OpenSend, ctx: StoreContext): Resolution {
  if (of.accepted) return resolveAccepted(of, ['handed'], ctx);
  const at = of.handedAt ?? ctx.now;
  const againAt = of.resends === 0 ? ctx.now : laterAt(of, ctx);
  const reason = 'no outcome was reported in time';
  return resolve({ of, from: ['handed'], at, againAt, reason }, policyAt(at, of, ctx));
}

/** Resolves a handed mail without an outcome: a server that did not answer now would hardly do so at once. */
export function resolveUnknown(of: OpenSend, reason: string, ctx: StoreContext): Resolution {
  const at = of.handedAt ?? ctx.now;
  return resolve({ of, from: ['handed'], at, againAt: laterAt(of, ctx), reason }, policyAt(at, of, ctx));
}

/** Resolves a claimed mail that may have gone out at `at`, after the backup from which this database was restored. */
export function resolveDoubtful(of: OpenSend, at: Instant, ctx: StoreContext): Resolution {
  const reason = 'it may have gone out after the backup from which the database was restored';
  return { ...resolve({ of, from: ['claimed'], at, againAt: ctx.now, reason }, policyAt(at, of, ctx)), handedAt: at };
}

/** What a lost database may have done is not the playbook's to decide alone: staff said so when they brought it back. */
function policyAt(at: Instant, of: OpenSend, ctx: StoreContext): UnknownPolicy {
  const { doubt } = ctx;
  if (doubt === null || at > doubt.until || doubt.mail === 'own') return unknownPolicyOf(of, ctx);
  return doubt.mail;
}

interface Lost {
  readonly of: OpenSend;
  readonly from: readonly OpenStatus[];
  readonly at: Instant;
  /** When another copy may go. */
  readonly againAt: Instant;
  readonly reason: string;
}

function laterAt({ resends }: OpenSend, ctx: StoreContext): Instant {
  return ctx.now + (RESEND_AFTER_MS[resends] ?? 0);
}

function resolve({ of, from, at, againAt, reason }: Lost, policy: UnknownPolicy): Resolution {
  const plain = { of, from, dueAt: null, attempt: true, resend: false, heldError: null };
  switch (policy) {
    case 'resend':
      if (of.resends >= RESEND_AFTER_MS.length) break;
      return { ...plain, status: 'planned', settlement: null, dueAt: againAt, resend: true, reason };
    case 'hold': {
      const heldError = `the server may have this mail or not (${reason}): look there, then retry or drop it`;
      return { ...plain, status: 'unknown', settlement: null, reason, heldError };
    }
    case 'assume_sent':
      break;
  }
  return { ...plain, status: 'unknown', settlement: { outcome: 'unknown', at }, reason };
}
