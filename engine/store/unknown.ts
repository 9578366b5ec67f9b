/** What is done about a mail of which nobody knows whether the server took it. docs/architecture.md P2. */
import type { UnknownPolicy } from '../playbook/types.ts';
import type { StoreContext } from './context.ts';
import type { OpenSend, Resolution } from './open-sends.ts';

/** After so many copies, another one is worse than none. */
const MAX_RESENDS = 3;

/** The playbook's own policy; by default `resend` for transactional mail and `assume_sent` for all other. */
export function unknownPolicyOf(of: OpenSend, ctx: StoreContext): UnknownPolicy {
  const { playbook, version } = ctx.ids.version(of.versionId);
  return ctx.playbookOf(playbook, version).unknownPolicy ?? (of.send.transactional ? 'resend' : 'assume_sent');
}

/** Resolves a handed mail without an outcome. */
export function resolveUnknown(of: OpenSend, reason: string, ctx: StoreContext): Resolution {
  const at = of.handedAt ?? ctx.now;
  const plain = { of, from: ['handed'] as const, dueAt: null, attempt: true, resend: false, heldError: null };
  const policy = unknownPolicyOf(of, ctx);
  switch (policy) {
    case 'resend':
      if (of.resends >= MAX_RESENDS) break;
      return { ...plain, status: 'planned', settlement: null, dueAt: ctx.now, resend: true, reason };
    case 'hold': {
      const heldError = `the server may have this mail or not (${reason}): look there, then retry or drop it`;
      return { ...plain, status: 'unknown', settlement: null, reason, heldError };
    }
    case 'assume_sent':
      break;
  }
  return { ...plain, status: 'unknown', settlement: { outcome: 'unknown', at }, reason };
}
