import { describe, expect, it } from '@jest/globals';
import { ConfigError, configVariables, maskUrl, readConfig } from '../../workers/config.ts';

function problemsOf(env: NodeJS.ProcessEnv): Record<string, string> {
  try {
    readConfig(env, '/company');
  } catch (error) {
    if (error instanceof ConfigError) {
      return Object.fromEntries(error.problems.map(({ variable, message }) => [variable, message]));
    }
    throw error;
  }
  return {};
}

describe('readConfig', () => {
  it('needs nothing: everything is embedded and local', () => {
    expect(readConfig({}, '/company')).toMatchObject({
      projectDir: '/company',
      database: { kind: 'embedded', dir: '/company/.perennial' },
      redisUrl: null,
      smtpUrl: null,
      writeKey: null,
      publicHost: '127.0.0.1',
      publicPort: 4500,
      concurrency: { advance: 2, transactional: 4, bulk: 4 },
      smtpConnections: 8,
      logLevel: 'info',
    });
  });

  it('takes what is set, and an empty variable for one that is not', () => {
    const config = readConfig(
      {
        DATABASE_URL: 'postgresql://app:pw@db.example/perennial?sslmode=require',
        REDIS_URL: 'rediss://:pw@cache.example:6380/2',
        SMTP_URL: '',
        PERENNIAL_WRITE_KEY: 'k'.repeat(16),
        PERENNIAL_PUBLIC_HOST: '0.0.0.0',
        PERENNIAL_PUBLIC_PORT: '0',
        PERENNIAL_CONCURRENCY: ' bulk = 12, advance=1',
        PERENNIAL_SMTP_CONNECTIONS: '1',
        LOG_LEVEL: 'silent',
        HOME: '/root',
      },
      '/company',
    );
    expect(config).toMatchObject({
      database: { kind: 'external', url: 'postgresql://app:pw@db.example/perennial?sslmode=require' },
      redisUrl: 'rediss://:pw@cache.example:6380/2',
      smtpUrl: null,
      writeKey: 'kkkkkkkkkkkkkkkk',
      publicHost: '0.0.0.0',
      publicPort: 0,
      concurrency: { advance: 1, transactional: 4, bulk: 12 },
      smtpConnections: 1,
      logLevel: 'silent',
    });
  });

  it.each([
    ['DATABASE_URL', 'mysql://db.example/x', 'begins with postgres:// or postgresql://'],
    ['DATABASE_URL', 'postgres:///perennial', 'names a host'],
    ['REDIS_URL', 'cache.example:6379', 'expected redis://user'],
    ['SMTP_URL', 'smtp://me:pa#ss@mail.example', 'percent-encoded'],
    ['PERENNIAL_WRITE_KEY', 'short', 'at least 16 characters'],
    ['PERENNIAL_PUBLIC_HOST', 'http://x', 'an address or a host name'],
    ['PERENNIAL_PUBLIC_PORT', '65536', 'from 0 to 65535, e.g. 4500, not "65536"'],
    ['PERENNIAL_PUBLIC_PORT', '4500.5', 'a whole number'],
    ['PERENNIAL_PUBLIC_PORT', '-1', 'a whole number'],
    ['PERENNIAL_CONCURRENCY', 'bulk=0', 'from 1 to 64'],
    ['PERENNIAL_CONCURRENCY', 'mass=4', 'not "mass=4"'],
    ['PERENNIAL_CONCURRENCY', '8', 'e.g. advance=2,transactional=4,bulk=4'],
    ['PERENNIAL_SMTP_CONNECTIONS', '0', 'from 1 to 100'],
    ['LOG_LEVEL', 'loud', 'one of fatal, error, warn'],
    ['PERENNIAL_PUBLIC_PROT', '4500', 'Did you mean PERENNIAL_PUBLIC_PORT?'],
    ['PERENNIAL_FROBNICATE', 'yes', 'the known ones are DATABASE_URL'],
  ])('refuses %s=%s and says what was expected', (variable, value, expected) => {
    expect(problemsOf({ [variable]: value })).toEqual({ [variable]: expect.stringContaining(expected) });
  });

  it('lists all problems at once, and none of the secrets', () => {
    const env = {
      DATABASE_URL: 'mysql://app:hunter2@db.example/x',
      REDIS_URL: 'redis:hunter2',
      SMTP_URL: 'smtp://me:hunter2#@mail.example',
      PERENNIAL_WRITE_KEY: 'hunter2',
      PERENNIAL_SMTP_CONECTIONS: 'hunter2',
      LOG_LEVEL: 'loud',
    };
    const read = () => readConfig(env, '/company');
    expect(Object.keys(problemsOf(env)).sort()).toEqual(Object.keys(env).sort());
    expect(read).toThrow(/^The configuration has 6 problems:\n {2}/);
    expect(read).not.toThrow(/hunter2/);
  });
});

it.each([
  ['postgres://app:secret@db.example/x', 'postgres://app:***@db.example/x'],
  ['redis://:secret@cache.example', 'redis://:***@cache.example'],
  ['postgres://db.example/x?user=a&password=secret', 'postgres://db.example/x?user=a&password=***'],
  ['postgres://app@db.example/x', 'postgres://app@db.example/x'],
  ['//app:secret@', '(not shown, it may hold a password)'],
])('maskUrl(%s) shows no secret', (url, shown) => {
  expect(maskUrl(url)).toBe(shown);
});

it('describes every variable for the documentation', () => {
  expect(configVariables.map(({ name }) => name)).toContain('PERENNIAL_PUBLIC_PORT');
  for (const { description, unset } of configVariables) {
    expect(description.length).toBeGreaterThan(10);
    expect(unset.length).toBeGreaterThan(0);
  }
  expect(configVariables.find(({ name }) => name === 'PERENNIAL_PUBLIC_PORT')?.unset).toBe('4500');
});
