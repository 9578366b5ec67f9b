import { EmbeddedPostgresError } from './error.ts';
import { run, type Account } from './run.ts';

export type { Account } from './run.ts';

/** Whether this process is root, as which PostgreSQL refuses to run. */
export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/**
 * The account to run the server as: null is the caller's own. Root gets the machine's `postgres`, or else
 * `nobody`; no account is ever created.
 * @throws EmbeddedPostgresError `no_account` when root finds neither.
 */
export async function serverAccount(): Promise<Account | null> {
  if (!isRoot()) return null;
  for (const name of ['postgres', 'nobody']) {
    const uid = await run('id', ['-u', name], null);
    const gid = await run('id', ['-g', name], null);
    if (uid.exitCode === 0 && gid.exitCode === 0) {
      return { name, uid: Number(uid.output.trim()), gid: Number(gid.output.trim()) };
    }
  }
  throw new EmbeddedPostgresError(
    'no_account',
    'PostgreSQL refuses to run as root, and this machine has neither an account "postgres" nor "nobody" to run it as. ' +
      'Start Perennial as an ordinary user, or set DATABASE_URL to a PostgreSQL server.',
  );
}

/** Whether `account` can reach the folder and go into it. Tried for real, so that ACLs and mounts count as well. */
export async function canEnter(account: Account | null, dir: string): Promise<boolean> {
  const { exitCode } = await run('/bin/sh', ['-c', 'cd "$1"', 'sh', dir], account);
  return exitCode === 0;
}
