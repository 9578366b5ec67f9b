/** `perennial customer`: all that is known of one customer, in their time and the reader's. */
import type { Command } from 'commander';
import { customerHistory, type CustomerHistory } from '../engine/store/history.ts';
import { findCustomer } from '../engine/store/people.ts';
import { historyText } from './customer/text.ts';
import { zoneOfCustomer } from './support/customer-zone.ts';
import { answer, notFound, staffCommand, type StaffOptions } from './support/staff.ts';
import { processTerminal, type Terminal } from './support/terminal.ts';

/** The command. Exit code 1 when there is no such customer. */
export function customerCommand(terminal: Terminal = processTerminal()): Command {
  return staffCommand('customer', 'show a customer: profile, facts, playbooks, mails and what comes next')
    .argument('<id-or-email>', "the customer's id or e-mail address")
    .action(async (typed: string, options: StaffOptions) =>
      answer(terminal, options, async (context) => {
        const found = await findCustomer(context.db, typed);
        if (found.outcome !== 'found') return notFound(found, typed);
        const history = await customerHistory(context.db, found.customer.id);
        if (history === null) return notFound({ outcome: 'unknown', nearest: [] }, typed);
        const zone = await zoneOfCustomer(context, history.id);
        const json: CustomerHistory & { readonly zone: string } = { ...history, zone: zone.name };
        return { json, text: historyText(history, zone, terminal) };
      }),
    );
}
