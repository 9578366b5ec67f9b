/** Whether a folder is a company's: nothing is made in one that was only misspelt. */
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { COMPANY_FILE } from '../playbook/layout.ts';
import { nearest } from '../playbook/nearest.ts';
import { codeOf } from './errors.ts';
import { ProjectError } from './read.ts';

/** Says where there is no company in this folder, with the one that may have been meant. @throws ProjectError `no-company`. */
export async function requireCompanyFolder(dir: string): Promise<void> {
  if (isCompany(dir)) return;
  const meant = await companyNear(dir);
  const message =
    (existsSync(dir)
      ? `${dir} is no company folder: there is no ${COMPANY_FILE} in it. `
      : `There is no folder ${dir}. `) +
    (meant === null
      ? 'Name the company folder with --project, or the database of its fleet with DATABASE_URL. "perennial init" makes a new company.'
      : `Did you mean --project ${meant}?`);
  throw new ProjectError(message, 'no-company');
}

function isCompany(dir: string): boolean {
  return existsSync(path.join(dir, COMPANY_FILE));
}

/** One that this folder lies in, the only one in it, or one of a like name beside it: a folder that exists was less likely misspelt. */
async function companyNear(dir: string): Promise<string | null> {
  for (let above = path.dirname(dir); above !== path.dirname(above); above = path.dirname(above)) {
    if (isCompany(above)) return above;
  }
  const [only, ...others] = await companiesIn(dir);
  if (only !== undefined && others.length === 0) return path.join(dir, only);
  const like = nearest(path.basename(dir), await companiesIn(path.dirname(dir)));
  return like === null ? null : path.join(path.dirname(dir), like);
}

async function companiesIn(dir: string): Promise<readonly string[]> {
  try {
    const names = (await readdir(dir, { withFileTypes: true })).filter((entry) => !entry.isFile());
    return names.map(({ name }) => name).filter((name) => isCompany(path.join(dir, name)));
  } catch (error) {
    if (codeOf(error) === null) throw error;
    return [];
  }
}
