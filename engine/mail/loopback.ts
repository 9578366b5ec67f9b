/**
 * Whether a host, as URLs write it, is this machine whoever answers for names: the name `localhost` and addresses of
 * loopback (RFC 1122 section 3.2.1.3, RFC 4291 section 2.5.3). `127.evil.example` is not.
 */
export function isLoopbackHost(host: string): boolean {
  const name = host.toLowerCase();
  return name === 'localhost' || name === '::1' || name === '[::1]' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(name);
}
