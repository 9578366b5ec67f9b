/**
 * What a failure means: who is at fault, and whether for good.
 *
 * 1. Only a failure that is the address's own, and for good, is `hard`.
 * 2. x.7.z, and whatever else is about us (our address, our reputation, our content), is `sender`: nobody is suppressed.
 * 3. Where code and words contradict each other, or neither says enough, it is the milder of them, or `unclear`.
 */
import type { Verdict } from './report.ts';
import { replyCodeIn } from './status.ts';

/** A failure as it was reported. */
export interface Failure {
  /** RFC 3464 section 2.3.3, in lower case; null where the report has none. */
  readonly action: string | null;
  /** RFC 3463. */
  readonly status: string | null;
  /** The server's words. */
  readonly diagnostic: string | null;
}

const NO_FAILURE: ReadonlySet<string> = new Set(['delivered', 'relayed', 'expanded', 'deliverable']);

/** Words about us. */
const SENDER =
  /\bspam|\bspf\b|dkim|dmarc|black ?list|block ?list|\bblocked\b|\bbanned\b|reputation|\bpolicy\b|\bvirus|malware|authenticat|reverse dns|\bptr\b|relay\w* (?:denied|access|not)|(?:unable|not allowed|not permitted) to relay|after mail from|sender (?:address|was|is|verify|domain)|(?:unroutable|invalid|unknown) sender|too many (?:connections|messages|mails)|recipient preferences|rate limit|content (?:rejected|denied)|access denied|not authorized|permission|prohibited|dnsbl|spamhaus|message (?:content )?rejected|suspicious/i;
/** RFC 3463 x.2.2 in words. */
const FULL =
  /(?:mail ?box|mail ?folder|inbox|account|user|storage)[^.\n]{0,40}\b(?:full|over ?quota|exceed)|over ?quota|quota (?:exceeded|limit|has been)|exceed\w* (?:\w+ ){0,4}quota|mail ?box (?:is )?full|not enough (?:storage|space)|insufficient (?:system )?storage|too much mail data|\bquota\b/i;
/** RFC 3463 x.1.1 and x.1.2 in words: about the recipient and nothing else. */
const UNKNOWN =
  /user unknown|unknown (?:user|recipient|local part|address)|no such (?:user|mailbox|recipient|person|address|account)|(?:user|recipient|mailbox|account|address)\b[^.\n]{0,60}\b(?:does not exist|doesn't exist|not found|unknown|no longer (?:exists|valid|available)|does not have|doesn't have|is invalid|not listed)|(?:does not|doesn't) have an? \S+ account|unrouteable address|no mailbox (?:here )?by that name|recipient name is not recognized|not a valid (?:user|mailbox|recipient)|invalid recipient|host (?:unknown|or domain name not found)|domain (?:not found|does not exist)|name or service not known|couldn't find (?:any|a) (?:host|mail exchanger)|no smtp service/i;
const TIMES_OUT = /timed? ?out|timeout|expired|too long|try again|temporar|connection refused|unable to connect/i;

/** Exchange Online's words for an address that its directory does not have; the same words say more elsewhere. */
const UNKNOWN_AT_MICROSOFT = /\b5\.4\.1 .*recipient address rejected: access denied/i;

/** Mailbox disabled (5.2.1) and the address itself (5.1.z), but for its sender's (5.1.7, 5.1.8); no way there (5.4.4). */
const RECIPIENT = /^5\.(?:1\.(?!7$|8$|9$)\d+|2\.1|4\.4)$/;
const ABOUT_US = /^[45]\.(?:7\.\d+|1\.[78])$/;

/** What the failure means. `status` decides; the server's words where it does not, or where they are milder. */
export function judge({ action, status, diagnostic }: Failure): Verdict {
  if (action !== null && NO_FAILURE.has(action)) return 'delivered';
  if (action === 'delayed') return 'delayed';
  if (status?.startsWith('2.') === true) return action === 'failed' ? 'unclear' : 'delivered';
  const words = diagnostic ?? '';
  if (status !== null && ABOUT_US.test(status)) return 'sender';
  if (status !== null && status.slice(1) === '.2.2') return 'soft';
  const spoken = inWords(words);
  if (status?.startsWith('4.') === true) return spoken === 'sender' ? 'sender' : 'soft';
  if (status !== null && RECIPIENT.test(status)) return spoken === 'soft' || spoken === 'sender' ? spoken : 'hard';
  const isTemporary = status === null && (replyCodeIn(words) ?? 500) < 500;
  if (isTemporary) return spoken === 'sender' ? 'sender' : 'soft';
  return spoken ?? 'unclear';
}

function inWords(words: string): 'hard' | 'soft' | 'sender' | null {
  if (UNKNOWN_AT_MICROSOFT.test(words)) return 'hard';
  // An address may say anything, such as spam@example.com; of a URL, only the host says whose list it is.
  const said = words.replaceAll(/[^\s<>:]+@[^\s<>]+/g, ' ').replaceAll(/(https?:\/\/[^\s/]+)\S*/g, '$1 ');
  if (SENDER.test(said)) return 'sender';
  if (FULL.test(said)) return 'soft';
  if (UNKNOWN.test(said)) return 'hard';
  return TIMES_OUT.test(said) ? 'soft' : null;
}
