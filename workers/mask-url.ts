/**
 * A URL as it may be shown: its password, in whichever place, is three asterisks. What cannot be parsed, or names
 * no host, is not shown at all, since nobody can say where its password is.
 */
export function maskUrl(url: string): string {
  if (!URL.canParse(url) || new URL(url).host === '') return '(not shown, it may hold a password)';
  const parsed = new URL(url);
  if (parsed.password !== '') parsed.password = '***';
  const names = Array.from(parsed.searchParams.keys());
  for (const name of names) {
    if (/pass|secret|key|token/i.test(name)) parsed.searchParams.set(name, '***');
  }
  return parsed.href;
}
