/** A customer whose state cannot be carried on; the store holds the culprit and goes on with the rest. */
export class JourneyError extends Error {
  override readonly name = 'JourneyError';
  readonly code: 'too-many-transitions' | 'unknown-step' | 'unknown-playbook' | 'unwritable';
  /** The enrolment at fault, where it is known. */
  readonly enrolment: { readonly playbook: string; readonly entryKey: string } | null;

  constructor(
    code: JourneyError['code'],
    message: string,
    enrolment: { readonly playbook: string; readonly entryKey: string } | null,
  ) {
    super(message);
    this.code = code;
    this.enrolment = enrolment;
  }
}
