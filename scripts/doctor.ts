/** `perennial doctor`: whether mail can leave and arrive, and what to do where it cannot. */
import { InvalidArgumentError, type Command } from 'commander';
import { isIP } from 'node:net';
import { readConfig } from '../workers/config.ts';
import { openDns } from './doctor/dns.ts';
import { examine } from './doctor/examine.ts';
import { countOf, examinationText } from './doctor/text.ts';
import { staffCommand, type StaffOptions } from './support/staff.ts';
import { processTerminal, type Terminal } from './support/terminal.ts';
import { jsonLine } from './support/times.ts';

interface Options extends StaffOptions {
  readonly dns?: string;
}

/** The command. Exit code 1 when something does not work, 2 when it is used wrongly; warnings are 0. */
export function doctorCommand(terminal: Terminal = processTerminal()): Command {
  return staffCommand('doctor', 'look whether mail can leave and arrive: domain, mail server, clock, database')
    .option('--dns <server>', 'ask this DNS server instead of those of the system: ADDRESS or ADDRESS:PORT', dnsServer)
    .action(async (options: Options) => {
      const config = readConfig(process.env, options.project);
      const dns = openDns(options.dns ?? null);
      const examination = await examine({ config, dns, asksExamples: options.dns !== undefined });
      const failures = countOf(examination, 'fail');
      if (failures > 0) terminal.setExitCode(1);
      if (options.json !== true) return terminal.out(examinationText(terminal, examination));
      const findings = examination.groups.flatMap(({ findings }) => findings);
      const outcome = failures > 0 ? 'failures' : countOf(examination, 'warn') > 0 ? 'warnings' : 'ok';
      terminal.out(jsonLine({ outcome, sending: examination.sending, findings }));
    });
}

function dnsServer(text: string): string {
  const [, four, six] = /^(?:([^[\]]*?)|\[([^[\]]*)\])(?::(?:\d{1,5}))?$/.exec(text) ?? [];
  if (isIP(text) !== 0 || isIP(four ?? six ?? '') !== 0) return text;
  throw new InvalidArgumentError('Expected the address of a DNS server, such as 9.9.9.9 or 127.0.0.1:5353.');
}
