/** Reading the body of a request: JSON in UTF-8, within its limit. */
import { isUtf8 } from 'node:buffer';
import type { HonoRequest } from 'hono';
import { Failure } from './failure.ts';

/** Reads the body as JSON. @throws Failure 413 past `maxBytes`, 415 for another type, 400 for what is no JSON. */
export async function readJson(request: HonoRequest, maxBytes: number): Promise<unknown> {
  const type = request.header('content-type') ?? '';
  const encoding = request.header('content-encoding') ?? 'identity';
  if (!/^application\/json\s*(;|$)/i.test(type)) {
    throw new Failure(415, 'wrong-content-type', `the Content-Type is "${type}"`, 'application/json');
  }
  if (encoding.toLowerCase() !== 'identity') {
    throw new Failure(
      415,
      'wrong-content-encoding',
      `the Content-Encoding is "${encoding}"`,
      'a body that is not compressed',
    );
  }
  const bytes = await readBytes(request, maxBytes).catch((cause: unknown) => {
    if (cause instanceof Failure) throw cause;
    // The sender hung up or stalled: nobody hears the answer, and nothing is wrong on this side.
    throw new Failure(400, 'incomplete', 'the body ended early', 'all of it', { cause });
  });
  if (!isUtf8(bytes)) throw new Failure(400, 'not-json', 'the body is not UTF-8', 'JSON in UTF-8');
  try {
    return JSON.parse(bytes.toString('utf8')) as unknown;
  } catch (error) {
    throw new Failure(400, 'not-json', `the body is not JSON: ${(error as SyntaxError).message}`, 'one JSON object');
  }
}

/** Counts while it reads: a sender may name no length, or a wrong one. */
async function readBytes(request: HonoRequest, maxBytes: number): Promise<Buffer> {
  const tooLarge = (): Failure =>
    new Failure(413, 'too-large', 'the body is too large', `at most ${Math.round(maxBytes / 1024)} KB`);
  if (Number(request.header('content-length') ?? 0) > maxBytes) throw tooLarge();
  const chunks: Uint8Array[] = [];
  let size = 0;
  const stream: AsyncIterable<Uint8Array> = request.raw.body ?? noBody();
  for await (const chunk of stream) {
    size += chunk.length;
    if (size > maxBytes) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function* noBody(): AsyncGenerator<Uint8Array, void, undefined> {
  // A request without a body has nothing to give.
}
