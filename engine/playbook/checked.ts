/** Sources in which nothing is wrong, with where everything in them stands: what the linter reads. */
import type { CheckedPlaybook } from './build/playbook.ts';
import type { Declarations } from './declarations.ts';
import type { Report } from './read/report.ts';
import type { CompanySource } from './schema.ts';

/** One playbook without mistakes. */
export interface CheckedText extends CheckedPlaybook {
  readonly text: string;
  readonly report: Report;
}

/** `perennial.yaml` without mistakes. */
export interface CheckedCompany {
  readonly source: CompanySource;
  readonly text: string;
  readonly report: Report;
  readonly names: Declarations;
}

/** The company, and those of its playbooks that have no mistakes. */
export interface CheckedSources {
  readonly company: CheckedCompany;
  readonly playbooks: readonly CheckedText[];
}
