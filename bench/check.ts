/**
 * How fast a company is checked: a thousand playbooks with their templates, parsed, checked and linted, against bare
 * YAML parsing of the same files in the same run, in turns. Run it with: npm run bench -- check [PLAYBOOKS]
 */
import { parseDocument } from 'yaml';
import type { SourceFile } from '../engine/playbook/problem.ts';
import { checkProject, checkSources, lintProject } from '../engine/project/check.ts';
import { findPackageRoot } from '../scripts/init/package-root.ts';
import { median } from './support/figures.ts';

const PLAYBOOKS = Number(process.argv[2] ?? 1_000);
const ROUNDS = 5;

/** The sample company's playbooks over and over, each with a name of its own. */
function generate(sources: readonly SourceFile[]): readonly SourceFile[] {
  const rest = sources.filter(({ path }) => !/^playbooks\/[^/]+\.yaml$/.test(path));
  const own = sources.filter(({ path }) => /^playbooks\/[^/]+\.yaml$/.test(path) && !path.endsWith('.test.yaml'));
  const copies = Array.from({ length: PLAYBOOKS }, (_, n): SourceFile => {
    const { path = '', text = '' } = own[n % own.length] ?? {};
    return { path: path.replace('.yaml', `-${n}.yaml`), text: `${text}\n# ${n}\n` };
  });
  return [...rest, ...copies];
}

function timed(work: () => unknown): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}

const { sources } = await checkProject(await findPackageRoot(import.meta.dirname));
const files = generate(sources);
const yaml = files.filter(({ path }) => path.endsWith('.yaml'));
const rounds = Array.from({ length: ROUNDS }, () => {
  const parsing = timed(() => yaml.map(({ text }) => parseDocument(text)));
  const start = performance.now();
  const checked = checkSources(files);
  const checking = performance.now() - start;
  if (checked.release === null) throw new Error('the generated company has mistakes');
  const linting = timed(() => lintProject(checked));
  return { parsing, checking, linting };
});
const of = (key: 'parsing' | 'checking' | 'linting'): number => median(rounds.map((round) => round[key]));
const total = of('checking') + of('linting');
process.stdout.write(
  `${PLAYBOOKS} playbooks, median of ${ROUNDS} rounds\n` +
    `bare YAML parsing ${Math.round(of('parsing'))} ms; checked in ${Math.round(of('checking'))} ms, ` +
    `linted in ${Math.round(of('linting'))} ms: ${(total / of('parsing')).toFixed(1)} times the parsing\n`,
);
