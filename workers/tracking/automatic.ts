/** Requests that no reader made, where that can be told: mail scanners, previews, and browsers that fetch ahead. */

/** One header by its name in lower case; undefined when it is not there. */
type Header = (name: string) => string | undefined;

/** What browsers say when they fetch what nobody has asked for yet (Fetch Metadata, and what came before it). */
const AHEAD = ['sec-purpose', 'purpose', 'x-purpose', 'x-moz'];
const AHEAD_VALUE = /prefetch|prerender|preview/i;
/** Programs that say what they are. Gmail's and Yahoo's image proxies are readers who look. */
const PROGRAMS =
  /bot\b|crawl|spider|scan|preview|monitor|curl\/|wget\/|python|java\/|go-http|okhttp|libwww|node-fetch|axios|headless|barracuda|mimecast|proofpoint|symantec|trend ?micro|fireeye|forcepoint|safelinks|bitdefender|kaspersky|facebookexternalhit|slackbot|whatsapp|skypeuripreview/i;

/** Whether a request is known not to be a reader's. Many scanners pretend to be browsers, so this is a lower bound. */
export function isAutomatic(method: string, header: Header): boolean {
  if (method !== 'GET') return true;
  if (AHEAD.some((name) => AHEAD_VALUE.test(header(name) ?? ''))) return true;
  const agent = header('user-agent')?.trim() ?? '';
  return agent === '' || PROGRAMS.test(agent);
}
