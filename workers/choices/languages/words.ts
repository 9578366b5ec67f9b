/** What the pages on which readers choose their mail say: one language is one file beside this. */

/** In one language. `topic` is its title in perennial.yaml. */
export interface Words {
  readonly language: string;
  readonly leave: (topic: string) => string;
  readonly leaveText: (company: string) => string;
  readonly leaveButton: string;
  readonly left: string;
  readonly leftText: (topic: string, company: string) => string;
  readonly leftBefore: (topic: string) => string;
  readonly toPreferences: string;
  readonly about: string;
  readonly aboutText: (company: string) => string;
  readonly choose: (company: string) => string;
  /** What a reader agrees to by choosing a topic: kept on record as it stands here. */
  readonly consent: (topic: string, company: string) => string;
  readonly consentNote: string;
  readonly save: string;
  readonly none: string;
  readonly saved: string;
  readonly savedText: string;
  readonly always: (topics: string) => string;
  readonly nothing: string;
  readonly nothingText: (company: string) => string;
  readonly blocked: string;
  readonly blockedText: (company: string, address: string | null) => string;
  readonly invalid: string;
  readonly invalidText: (address: string | null) => string;
  readonly gone: string;
  readonly goneText: string;
  readonly trouble: string;
  readonly troubleText: string;
  readonly tooLarge: string;
}
