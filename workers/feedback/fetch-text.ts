/** Fetches small texts over HTTPS: certificates of Amazon SNS, and the confirmation of a subscription. */

const TIMEOUT_MS = 10_000;
const MAX_CHARACTERS = 64 * 1024;

/** The body at a URL. @throws Error when it is not to be had within 10 s, is elsewhere, or is longer than 64 KB. */
export async function fetchText(url: string): Promise<string> {
  const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (!response.ok) throw new Error(`${new URL(url).host} answered ${response.status}`);
  const text = await response.text();
  if (text.length > MAX_CHARACTERS) throw new Error(`${new URL(url).host} answered with more than 64 KB`);
  return text;
}
