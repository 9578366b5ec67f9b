/** A real IMAP server of one test file: Dovecot 2.3, with mailboxes in a folder of the test. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { testFolder } from './folder.ts';
import { installedProgram } from './installed.ts';
import { freePort } from './redis.ts';

/** The server, with one user. */
export interface Dovecot {
  readonly port: number;
  /** `imap://user:password@127.0.0.1:PORT/MAILBOX`. */
  url(mailbox?: string): string;
  /** Puts mails into the INBOX, as a mail server does. */
  put(...mails: readonly Uint8Array[]): Promise<void>;
  /** How many mails a mailbox holds; `Perennial/Done` is `Perennial.Done`. */
  count(mailbox?: string): Promise<number>;
  /** Deletes all mails; numbers of mails begin anew. */
  empty(): Promise<void>;
  stop(): Promise<void>;
  /** Starts it again on its port. */
  start(): Promise<void>;
}

/** Of a mailbox in the form Maildir. */
const PARTS = ['cur', 'new', 'tmp'];
const USER = 'bounce';
const PASSWORD = 'a/secret?of@the:test';

/** Starts Dovecot; null where it is not installed (see `installedProgram`). */
export async function testDovecot(): Promise<Dovecot | null> {
  const program = installedProgram('dovecot', 'Suites of mailboxes (IMAP)');
  if (program === null) return null;
  const dir = await testFolder();
  const port = await freePort();
  const owner = await mailOwner();
  const mail = path.join(dir, 'mail');
  const inbox = path.join(mail, USER, 'Maildir');
  const make = async (...folders: readonly string[]): Promise<void> => {
    for (const folder of folders) {
      await mkdir(folder);
      await chown(folder, owner.uid, owner.gid);
    }
  };
  const makeInbox = async (): Promise<void> => make(inbox, ...PARTS.map((at) => path.join(inbox, at)));
  await make(mail, path.join(mail, USER));
  await makeInbox();
  const config = path.join(dir, 'dovecot.conf');
  await writeFile(config, configText(dir, port, owner));
  await chmod(config, 0o600);
  let number = 0;
  let server = await startDovecot(program, config, port);
  return {
    port,
    url: (mailbox = 'INBOX') => `imap://${USER}:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}/${mailbox}`,
    put: async (...mails) => {
      for (const bytes of mails) {
        const file = path.join(inbox, 'new', `${Date.now()}.${(number += 1)}.test`);
        await writeFile(file, bytes);
        await chown(file, owner.uid, owner.gid);
      }
    },
    count: async (mailbox) => {
      const folder = mailbox === undefined ? inbox : path.join(inbox, `.${mailbox}`);
      const files = await Promise.all(['cur', 'new'].map(async (at) => readdir(path.join(folder, at)).catch(() => [])));
      return files.flat().length;
    },
    empty: async () => {
      await rm(inbox, { recursive: true });
      await makeInbox();
    },
    stop: async () => end(server),
    start: async () => {
      server = await startDovecot(program, config, port);
    },
  };
}

interface MailOwner {
  readonly uid: number;
  readonly gid: number;
  /** Their names. */
  readonly user: string;
  readonly group: string;
}

/** Dovecot lets root read no mail, so that under root the mailboxes are somebody's without rights. */
async function mailOwner(): Promise<MailOwner> {
  const users = await namesIn('/etc/passwd');
  const groups = await namesIn('/etc/group');
  const { getuid = () => 0, getgid = () => 0 } = process;
  const nobody = users.find(([name]) => name === 'nobody');
  const uid = getuid() === 0 ? Number(nobody?.[2]) : getuid();
  const gid = getuid() === 0 ? Number(nobody?.[3]) : getgid();
  const nameOf = (lines: readonly (readonly string[])[], id: number): string =>
    lines.find(([, , number]) => number === String(id))?.[0] ?? String(id);
  return { uid, gid, user: nameOf(users, uid), group: nameOf(groups, gid) };
}

async function namesIn(file: string): Promise<readonly (readonly string[])[]> {
  return (await readFile(file, 'utf8')).split('\n').map((line) => line.split(':'));
}

function configText(dir: string, port: number, { uid, gid, user, group }: MailOwner): string {
  const isRoot = process.getuid?.() === 0;
  const account = isRoot
    ? ''
    : `default_internal_user = ${user}\ndefault_login_user = ${user}\ndefault_internal_group = ${group}\n`;
  return `base_dir = ${dir}/run
state_dir = ${dir}/run
log_path = ${dir}/dovecot.log
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
auth_failure_delay = 0 secs
${account}first_valid_uid = 1
first_valid_gid = 1
mail_location = maildir:~/Maildir
service imap-login {
  chroot =
  inet_listener imap {
    port = ${port}
  }
  inet_listener imaps {
    port = 0
  }
}
service anvil {
  chroot =
}
passdb {
  driver = static
  args = password=${PASSWORD}
}
userdb {
  driver = static
  args = uid=${uid} gid=${gid} home=${dir}/mail/%u
}
`;
}

interface Server {
  readonly ended: Promise<unknown>;
  readonly kill: () => void;
}

async function startDovecot(program: string, config: string, port: number): Promise<Server> {
  const child = spawn(program, ['-F', '-c', config], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (bytes: Buffer) => {
    said += bytes.toString();
  });
  const ended = once(child, 'exit');
  // It says nowhere that it listens; its greeting does.
  for (let tries = 0; tries < 200; tries += 1) {
    if (child.exitCode !== null) break;
    if (await greets(port)) return { ended, kill: () => child.kill('SIGTERM') };
    await sleep(25);
  }
  child.kill('SIGKILL');
  const version = spawnSync(program, ['--version']).stdout.toString().trim();
  const log = await readFile(path.join(path.dirname(config), 'dovecot.log'), 'utf8').catch(() => '');
  throw new Error(`dovecot ${version} did not start:\n${said}${log}`);
}

async function greets(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    const [greeting] = (await once(socket, 'data')) as [Buffer];
    return greeting.toString().startsWith('* OK');
  } catch {
    // Nobody listens yet.
    return false;
  } finally {
    socket.destroy();
  }
}

async function end(server: Server): Promise<void> {
  server.kill();
  await server.ended;
}
