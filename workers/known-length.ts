/**
 * Requests whose length nobody said, read whole. Hono limits such bodies by making the request anew, which cannot be done
 * with those of its server for Node.js; and mail providers do send them in chunks.
 */

/** More than any form or report has. */
const MAX_BYTES = 4 * 1024 * 1024;

/** The request with its length known; the answer to it when it is longer than 4 MB, or ends early. */
export async function ofKnownLength(request: Request): Promise<Request | Response> {
  const { method, headers, url } = request;
  if (method === 'GET' || method === 'HEAD' || headers.has('content-length')) return request;
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of request.body ?? []) {
      size += chunk.length;
      if (size > MAX_BYTES) return new Response(null, { status: 413 });
      chunks.push(chunk);
    }
  } catch {
    // The sender hung up or stalled: nobody hears the answer, and nothing is wrong on this side.
    return new Response(null, { status: 400 });
  }
  const known = new Headers(headers);
  known.delete('transfer-encoding');
  known.set('content-length', String(size));
  return new Request(url, { method, headers: known, body: size === 0 ? null : Buffer.concat(chunks) });
}
