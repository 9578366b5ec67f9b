import { compareDates } from '../../time/local.ts';
import type { LocalDate } from '../../time/types.ts';
import type { ConditionEnv } from '../cel/context.ts';
import { CUSTOMER_FIELDS, type Declarations } from '../declarations.ts';
import type { Report } from '../read/report.ts';
import type { Loose } from '../read/walk.ts';
import type { CompanySource } from '../schema.ts';
import { type Checks, checkCondition, checkEvent, hint, type Resolved } from './context.ts';

type LooseCompany = Loose<CompanySource>;

function checkAttributes({ report }: Checks, attributes: LooseCompany['attributes']): void {
  for (const name of Object.keys(attributes ?? {})) {
    if (attributes === undefined || !CUSTOMER_FIELDS.has(name)) continue;
    report.atKey(attributes, name, {
      code: 'duplicate-name',
      message: `\`${name}\` is built in`,
      fix: 'leave it out, or choose another name',
    });
  }
}

function checkPurchase(checks: Checks, purchase: LooseCompany['purchase']): void {
  if (purchase === undefined) return;
  const fields = checkEvent(checks, purchase, 'event', purchase.event);
  const { amount } = purchase;
  if (fields === null || amount === undefined) return;
  const type = fields.get(amount);
  if (type === 'number' || type === 'any') return;
  const message =
    type === undefined
      ? `the event has no field \`${amount}\``
      : `\`${amount}\` is declared as ${type}: expected number`;
  checks.report.at(purchase, 'amount', {
    code: 'unknown-field',
    message,
    fix: hint(amount, fields.keys(), 'declare it as a number'),
  });
}

function checkBlackouts({ report }: Checks, blackouts: LooseCompany['blackouts']): void {
  for (const blackout of blackouts ?? []) {
    if (blackout?.from === undefined || blackout.until === undefined) continue;
    if (compareDates(blackout.from as LocalDate, blackout.until as LocalDate) < 0) continue;
    const message = 'a blackout ends after it begins: `until` is the first day with mail again';
    report.at(blackout, 'until', { code: 'bad-value', message, fix: 'write the day after the last day without mail' });
  }
}

/** Checks the stages' conditions; says whether one depends on the time. */
function checkStages(checks: Checks, stages: LooseCompany['stages']): boolean {
  const env: ConditionEnv = {
    customer: checks.names.customer,
    event: null,
    launch: null,
    trigger: false,
    vars: false,
    stage: null,
  };
  for (const stage of stages ?? []) if (stage !== undefined) checkCondition(checks, stage, 'when', env);
  const conditions = (stages ?? []).map((stage) =>
    stage === undefined ? undefined : checks.resolved.conditions.get(stage)?.get('when'),
  );
  return conditions.some((condition) => condition?.usesTime === true);
}

/** Checks what `perennial.yaml` names; gives what playbooks can name. */
export function checkCompany(
  report: Report,
  source: LooseCompany,
  declared: Omit<Declarations, 'stageUsesTime'>,
  resolved: Resolved,
): Declarations {
  const checks: Checks = { report, names: { ...declared, stageUsesTime: false }, resolved };
  checkAttributes(checks, source.attributes);
  checkPurchase(checks, source.purchase);
  checkBlackouts(checks, source.blackouts);
  return { ...declared, stageUsesTime: checkStages(checks, source.stages) };
}

/** docs/playbooks.md: a postal address is required before marketing mail may be sent. */
export function checkAddress(report: Report, source: LooseCompany, sendsMarketing: boolean): void {
  if (!sendsMarketing || source.company === undefined || 'address' in source.company) return;
  const message = 'mail that is not transactional must carry a postal address';
  report.at(source.company, null, { code: 'missing-key', message, fix: 'add `address:`' });
}
