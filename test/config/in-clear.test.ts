/** Servers off this machine are not spoken to in clear, unless somebody named them. */
import { describe, expect, it } from '@jest/globals';
import { ConfigError, readConfig } from '../../workers/config.ts';
import { isLoopbackHost } from '../../engine/mail/loopback.ts';

/** The variables with a problem, and what is said of them; empty when the environment is taken. */
function problemsOf(env: NodeJS.ProcessEnv): Readonly<Record<string, string>> {
  try {
    readConfig(env, '/company');
    return {};
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return Object.fromEntries(error.problems.map(({ variable, message }) => [variable, message]));
  }
}

const OPEN: readonly (readonly [variable: string, url: string, words: string])[] = [
  ['DATABASE_URL', 'postgres://u:hunter2@db.internal/x', 'has no TLS'],
  ['DATABASE_URL', 'postgres://u:hunter2@10.0.0.7/x', 'has no TLS'],
  ['DATABASE_URL', 'postgres://u:hunter2@db.internal/x?sslmode=disable', 'has no TLS'],
  ['DATABASE_URL', 'postgres://u:hunter2@db.internal/x?sslmode=no-verify', 'does not check whose certificate'],
  ['DATABASE_URL', 'postgres://u:hunter2@db.internal/x?uselibpqcompat=true&sslmode=require', 'does not check whose'],
  // What the URL seems to name is not what the driver connects to.
  ['DATABASE_URL', 'postgres://u:hunter2@localhost/x?host=db.internal', 'has no TLS'],
  ['DATABASE_URL', 'postgres://u:hunter2@127.0.0.1.db.example/x', 'has no TLS'],
  ['DATABASE_URL', 'postgres://u:hunter2@db.internal/x?sslrootcert=/nowhere/ca.pem', '/nowhere/ca.pem'],
  ['REDIS_URL', 'redis://queue.internal', 'has no password and no TLS'],
  ['REDIS_URL', 'redis://:hunter2@queue.internal', 'has no TLS'],
  ['REDIS_URL', 'rediss://queue.internal', 'has no password'],
  // What the driver would make of it is plain text, or no password.
  ['REDIS_URL', 'rediss://:hunter2@queue.internal?tls=', 'there is no option "tls"'],
  ['REDIS_URL', 'rediss://app@queue.internal?password=', 'has no password'],
  ['REDIS_URL', 'redis://h@127.0.0.1?sentinels=x', 'there is no option "sentinels"'],
  ['REDIS_URL', 'redis://127.queue.example', 'has no password and no TLS'],
  ['REDIS_URL', 'redis://0.0.0.0', 'has no password and no TLS'],
  ['REDIS_URL', 'redis+sentinel://:hunter2@s1.internal,127.0.0.1/queue', 'has no TLS'],
  ['REDIS_URL', 'rediss+sentinel://s1.internal/queue', 'Use rediss+sentinel://:PASSWORD@s1.internal/queue'],
  ['SMTP_URL', 'smtp://u:hunter2@mail.internal?tls=off', 'would send the password in clear'],
  ['SMTP_URL', 'smtp://u:hunter2@mail.internal?tls=offered', 'whoever takes TLS out'],
  ['SMTP_URL', 'smtp://u:hunter2@mail.internal?tls=of', 'expected offered, required or off'],
];

describe('a server off this machine', () => {
  it.each(OPEN)('%s=%s is refused at the start', (variable, url, words) => {
    const problems = problemsOf({ [variable]: url });
    expect(Object.keys(problems)).toEqual([variable]);
    expect(problems[variable]).toContain(words);
    expect(problems[variable]).not.toContain('hunter2');
  });

  it.each([
    ['DATABASE_URL', 'postgres://u:p@db.internal/x?sslmode=verify-full'],
    ['DATABASE_URL', 'postgres://u:p@localhost/x?host=/var/run/postgresql'],
    ['REDIS_URL', 'rediss://:p@queue.internal'],
    ['REDIS_URL', 'rediss://queue.internal?password=p'],
    ['REDIS_URL', 'rediss+sentinel://:p@s1.internal,s2.internal/queue'],
    // The primary that they name is judged when it is connected to (test/queue/sentinel.test.ts).
    ['REDIS_URL', 'redis+sentinel://127.0.0.1,[::1]:26380/queue'],
    ['SMTP_URL', 'smtp://u:p@mail.internal'],
    ['SMTP_URL', 'smtps://u:p@mail.internal'],
    ['SMTP_URL', 'smtp://relay.internal:25'],
    ['DATABASE_URL', 'postgres://u:p@127.0.0.1/x'],
    ['DATABASE_URL', 'postgres://u:p@[::1]/x'],
    ['REDIS_URL', 'redis://localhost:6379'],
    ['SMTP_URL', 'smtp://u:p@127.0.0.1:2525?tls=off'],
  ])('%s=%s is taken', (variable, url) => {
    expect(problemsOf({ [variable]: url })).toEqual({});
  });

  it('may be named as one that is trusted, and no other one with it', () => {
    const env = {
      DATABASE_URL: 'postgres://u:p@db/x',
      REDIS_URL: 'redis://redis:6379',
      SMTP_URL: 'smtp://u:p@[fd00::25]?tls=off',
    };
    expect(Object.keys(problemsOf(env))).toEqual(Object.keys(env));
    expect(problemsOf({ ...env, PERENNIAL_TRUSTED_HOSTS: 'db, Redis,[fd00::25]' })).toEqual({});
    expect(Object.keys(problemsOf({ ...env, PERENNIAL_TRUSTED_HOSTS: 'db,redis' }))).toEqual(['SMTP_URL']);
    const elsewhere = { ...env, DATABASE_URL: 'postgres://u:p@db.provider.example/x' };
    const problems = problemsOf({ ...elsewhere, PERENNIAL_TRUSTED_HOSTS: 'db,redis,[fd00::25]' });
    expect(problems).toEqual({ DATABASE_URL: expect.stringContaining('PERENNIAL_TRUSTED_HOSTS=db.provider.example') });
  });
});

it.each([
  ['localhost', true],
  ['LOCALHOST', true],
  ['127.0.0.1', true],
  ['127.1.2.3', true],
  ['[::1]', true],
  ['127.evil.example', false],
  ['127.0.0.1.evil.example', false],
  ['localhost.evil.example', false],
  ['0.0.0.0', false],
  ['', false],
])('%s is this machine: %s', (host, isLocal) => {
  expect(isLoopbackHost(host)).toBe(isLocal);
});

it('an inbox elsewhere, or one that is no URL, is refused with what was expected', () => {
  for (const url of ['smtp://mail.internal:2525', 'smtp://127.evil.example:2525', 'inbox']) {
    expect(problemsOf({ PERENNIAL_INBOX_URL: url })['PERENNIAL_INBOX_URL']).toContain('smtp://127.0.0.1:2525');
  }
});
