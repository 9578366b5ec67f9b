/** `perennial dkim`: keys that sign mail, and the DNS records that verify them. */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { InvalidArgumentError, Option, type Command } from 'commander';
import {
  createDkimKey,
  DKIM_ALGORITHMS,
  readDkimKey,
  type DkimAlgorithm,
  type DkimKey,
} from '../engine/mail/dkim/key.ts';
import { codeOf } from '../engine/ingest/error-code.ts';
import type { Company } from '../engine/playbook/types.ts';
import { checkProject } from '../engine/project/check.ts';
import { readConfig } from '../workers/config.ts';
import { loadDkimKey, NoDkimKey, ownKeyFile } from '../workers/dkim-keys.ts';
import { signingDomain } from '../workers/signing.ts';
import { dkimDnsRecord, recordText } from './dkim/record.ts';
import { bareCommand, staffCommand, type StaffOptions } from './support/staff.ts';
import { processTerminal, type Terminal } from './support/terminal.ts';
import { jsonLine } from './support/times.ts';

interface CreateOptions extends StaffOptions {
  readonly algorithm: DkimAlgorithm;
  readonly domain?: string;
  readonly out?: string;
}

interface ShowOptions extends StaffOptions {
  readonly domain?: string;
}

/** The command with its two parts. Exit code 1 when it cannot be done, 2 when it is used wrongly. */
export function dkimCommand(terminal: Terminal = processTerminal()): Command {
  const create = staffCommand('create', 'make a key pair, and print the DNS record to publish')
    .argument('<selector>', 'the name of the key, such as s2026a', selectorOf)
    .addOption(new Option('--algorithm <name>', 'which kind of key').choices(DKIM_ALGORITHMS).default('rsa'))
    .option('--domain <domain>', 'the domain that signs (default: that of perennial.yaml)')
    .option('--out <file>', 'where the private key goes (default: .perennial/dkim/SELECTOR.pem in the project)')
    .action(async (selector: string, options: CreateOptions) => createKey(terminal, selector, options));
  const show = staffCommand('show', 'print the DNS records of the keys that are there')
    .argument('[selector]', 'one of them (default: all that perennial.yaml names)', selectorOf)
    .option('--domain <domain>', 'the domain that signs (default: that of perennial.yaml)')
    .action(async (selector: string | undefined, options: ShowOptions) => showKeys(terminal, selector, options));
  return bareCommand('dkim', 'keys that sign mail, and their DNS records').addCommand(create).addCommand(show);
}

function selectorOf(text: string): string {
  if (/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(text)) return text;
  throw new InvalidArgumentError('Expected small letters, digits and hyphens, such as s2026a.');
}

async function createKey(terminal: Terminal, selector: string, options: CreateOptions): Promise<void> {
  const domain = await domainFor(terminal, options);
  if (domain === null) return;
  const file = path.resolve(options.out ?? ownKeyFile(options.project, selector));
  const pem = await createDkimKey(options.algorithm);
  try {
    await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
    await writeFile(file, pem, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    const reason =
      codeOf(error) === 'EEXIST'
        ? 'it is there already. Choose another selector: a key is replaced by one of another name, never under its own'
        : (error as Error).message;
    return fail(terminal, options, 'not-written', `The key cannot be written to ${file}: ${reason}.`);
  }
  const key = readDkimKey(selector, pem);
  const record = dkimDnsRecord(key, domain);
  if (options.json === true) return terminal.out(jsonLine({ ...describe(key), file, record }));
  terminal.out(`${recordText(record)}\n${nextSteps(selector, file)}`);
  terminal.err(`The private key is in ${file} (${key.algorithm}, ${key.bits} bits, for your user only).\nPublish:\n\n`);
}

function nextSteps(selector: string, file: string): string {
  return `Then:
  1. "perennial doctor" says whether the record can be seen.
  2. Give the key to each process that delivers: PERENNIAL_DKIM_KEYS=${selector}=${file}
     (without that variable they look into .perennial/dkim of the company folder).
  3. Name it in perennial.yaml, and deploy:
       mail:
         dkim: { selectors: [${selector}] }
`;
}

async function showKeys(terminal: Terminal, selector: string | undefined, options: ShowOptions): Promise<void> {
  const company = await companyOf(options.project);
  const domain = options.domain ?? (company === null ? null : signingDomain(company.mail));
  if (domain === null) return noDomain(terminal, options);
  const selectors = selector === undefined ? (company?.mail.dkim?.selectors ?? []) : [selector];
  if (selectors.length === 0) {
    const message = 'perennial.yaml names no selectors (mail.dkim): make a key with "perennial dkim create SELECTOR".';
    return fail(terminal, options, 'no-selectors', message);
  }
  const config = readConfig(process.env, options.project);
  const keys: DkimKey[] = [];
  for (const name of selectors) {
    try {
      keys.push(await loadDkimKey(config, name));
    } catch (error) {
      if (!(error instanceof NoDkimKey)) throw error;
      return fail(terminal, options, error.code, `${error.message}.`);
    }
  }
  const records = keys.map((key) => ({ ...describe(key), record: dkimDnsRecord(key, domain) }));
  if (options.json === true) return terminal.out(jsonLine({ keys: records }));
  terminal.out(records.map(({ record }) => recordText(record)).join('\n'));
}

function describe({ selector, algorithm, bits }: DkimKey): object {
  return { selector, algorithm, bits };
}

async function domainFor(terminal: Terminal, options: ShowOptions): Promise<string | null> {
  if (options.domain !== undefined) return options.domain.toLowerCase();
  const company = await companyOf(options.project);
  if (company !== null) return signingDomain(company.mail);
  noDomain(terminal, options);
  return null;
}

/** Null when the folder has mistakes. @throws ProjectError when there is none. */
async function companyOf(project: string): Promise<Company | null> {
  return (await checkProject(project)).release?.company ?? null;
}

function noDomain(terminal: Terminal, options: StaffOptions): void {
  const message = 'The company files have mistakes ("perennial check" shows them): mend them, or give --domain.';
  fail(terminal, options, 'mistakes', message);
}

function fail(terminal: Terminal, options: StaffOptions, outcome: string, message: string): void {
  terminal.setExitCode(1);
  if (options.json === true) terminal.out(jsonLine({ outcome, message }));
  else terminal.err(`${message}\n`);
}
