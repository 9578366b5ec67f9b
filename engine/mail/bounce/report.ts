/** What a mail that came back to us says: the result of reading a bounce or a complaint. */

/**
 * What a recipient's part of a report means for us (docs/operations.md, "Bounces and complaints").
 * `hard`: the address takes no mail, for good. `soft`: it may later. `sender`: they refuse us, not the reader.
 * `unclear`: a failure whose cause cannot be told for certain. `delayed` and `delivered` are no failures.
 */
export type Verdict = 'hard' | 'soft' | 'sender' | 'unclear' | 'delayed' | 'delivered';

/** One recipient of a delivery report. */
export interface ReportedRecipient {
  /** Normalised; null when the report names none that is an address. */
  readonly address: string | null;
  /** The address that the sender gave, where the report says it (RFC 3464 section 2.3.1); normalised. */
  readonly originalAddress: string | null;
  /** As in RFC 3464 section 2.3.3, in lower case; null in a report without a machine-readable part. */
  readonly action: string | null;
  /** Enhanced status code (RFC 3463), such as `5.1.1`; null when none is given. */
  readonly status: string | null;
  /** The server's words, one line. */
  readonly diagnostic: string | null;
  readonly verdict: Verdict;
}

/** What a report says of the mail that it is about; nothing here is proven yet. */
export interface About {
  /** Parts of return paths that may be signed tokens of ours (engine/message/bounce-token.ts). */
  readonly tokens: readonly string[];
  /** Message-ID of the returned mail, with its angle brackets. */
  readonly messageId: string | null;
  /** Header X-Perennial-Send of the returned mail. */
  readonly sendId: number | null;
}

/** Why a mail is neither a bounce nor a complaint. */
export type NoReport = 'auto-reply' | 'no report' | 'no complaint' | 'unreadable';

/** A mail, read. */
export type MailReport =
  | { readonly kind: 'bounce'; readonly recipients: readonly ReportedRecipient[]; readonly about: About }
  | {
      readonly kind: 'complaint';
      /** As in RFC 5965 section 3.5, in lower case, such as `abuse`. */
      readonly feedback: string;
      /** Normalised; often left out for privacy. */
      readonly recipients: readonly string[];
      readonly about: About;
    }
  | { readonly kind: 'none'; readonly because: NoReport };
