/** Ending what was opened: all of it, whatever becomes of each. */
import { errorFields, type Logger } from './log.ts';

/** Something that ends: a name for the log, and how. */
export interface Closer {
  readonly what: string;
  readonly close: () => Promise<void>;
}

/** Not all of it could be ended in order; `errors` holds why. Everything was tried. */
export class CloseError extends AggregateError {
  override readonly name = 'CloseError';
  readonly code = 'not_closed';
}

/** Closes one after the other. An error is logged and keeps nobody from being closed. @throws CloseError at the end. */
export async function closeEach(closers: readonly Closer[], log: Logger): Promise<void> {
  const failed: { readonly what: string; readonly error: unknown }[] = [];
  for (const { what, close } of closers) {
    try {
      await close();
    } catch (error) {
      log.error({ what, ...errorFields(error) }, 'something could not be ended in order; the others are ended');
      failed.push({ what, error });
    }
  }
  if (failed.length === 0) return;
  throw new CloseError(
    failed.map(({ error }) => error),
    `not ended in order: ${failed.map(({ what }) => what).join(', ')}`,
  );
}

/** The same, all at once. */
export async function closeTogether(closers: readonly Closer[], log: Logger): Promise<void> {
  const results = await Promise.allSettled(closers.map(async (closer) => closeEach([closer], log)));
  const errors = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
  if (errors.length > 0) {
    throw new CloseError(errors, errors.map((error) => (error as Error).message).join('; '));
  }
}
