/** The alert rules and the dashboard speak of metrics that there are, and of all of ours. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { describe, expect, it } from '@jest/globals';
import { collectDefaultMetrics } from 'prom-client';
import { parse } from 'yaml';
import { LANES } from '../../engine/queue/queue.ts';
import { openFleetGauges } from '../../workers/monitoring/fleet-gauges.ts';
import { openMetrics } from '../../workers/monitoring/metrics.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const RULES = path.join(ROOT, 'docs/monitoring/alerts.yaml');

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly runbook: string };
}
interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string }[];
}

const rules = (parse(readFileSync(RULES, 'utf8')) as { groups: readonly { rules: readonly Rule[] }[] }).groups.flatMap(
  (group) => group.rules,
);
const { panels } = JSON.parse(readFileSync(path.join(ROOT, 'docs/monitoring/dashboard.json'), 'utf8')) as {
  panels: readonly Panel[];
};
const expressions = [
  ...rules.map(({ expr }) => expr),
  ...panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
];

/** All metrics of a process, ours and those of the process itself; with their labels, and samples of histograms by their own names. */
function known(): ReadonlyMap<string, ReadonlySet<string>> {
  const { registry } = openMetrics();
  const queue = { outstanding: async () => 0 };
  openFleetGauges(registry, { query: async () => ({ rows: [], rowCount: 0 }) }, queue);
  collectDefaultMetrics({ register: registry });
  const names = new Map<string, ReadonlySet<string>>([['up', new Set()]]);
  for (const metric of registry.getMetricsAsArray() as unknown as {
    name: string;
    labelNames: string[];
    buckets?: unknown;
  }[]) {
    names.set(metric.name, new Set(metric.labelNames));
    if (metric.buckets === undefined) continue;
    for (const part of ['bucket', 'sum', 'count'])
      names.set(`${metric.name}_${part}`, new Set([...metric.labelNames, 'le']));
  }
  return names;
}

const KNOWN = known();
/** Given by Prometheus to every series. */
const EVERYWHERE = ['job', 'instance'];

/** What an expression names that is not there. */
function strangers(expr: string): readonly string[] {
  const named = [...expr.matchAll(/\b((?:perennial|process|nodejs)_\w+|up)\b(?:\{([^}]*)\})?/g)];
  const labels = (text: string): readonly string[] =>
    [...text.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, name = '']) => name);
  const grouped = [...expr.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(/,\s*/));
  const ofAll = new Set(named.flatMap(([, name = '']) => [...(KNOWN.get(name) ?? [])]));
  return [
    ...named.flatMap(([, name = '', selector = '']) => {
      const own = KNOWN.get(name);
      if (own === undefined) return [name];
      return labels(selector).filter((label) => !own.has(label) && !EVERYWHERE.includes(label));
    }),
    ...grouped.filter((label) => !ofAll.has(label) && !EVERYWHERE.includes(label)),
  ];
}

describe('the alert rules and the dashboard', () => {
  it('name only metrics and labels that there are', () => {
    expect(expressions.length).toBeGreaterThan(40);
    expect(expressions.flatMap((expr) => strangers(expr).map((name) => `${name} in ${expr}`))).toEqual([]);
  });

  it.each([
    ['rate(perennial_sent_total[5m])', 'perennial_sent_total'],
    ['sum by (customer) (perennial_held)', 'customer'],
    ['perennial_held{playbook="x"}', 'playbook'],
  ])('would notice %s', (expr, name) => {
    expect(strangers(expr)).toEqual([name]);
  });

  it('show every metric of ours', () => {
    const ours = [...KNOWN.keys()].filter(
      (name) => name.startsWith('perennial_') && !/_(bucket|sum|count)$/.test(name),
    );
    expect(ours.length).toBeGreaterThan(25);
    expect(ours.filter((name) => !expressions.some((expr) => expr.includes(name)))).toEqual([]);
  });

  it('name lanes that there are', () => {
    const lanes = expressions.flatMap((expr) => [...expr.matchAll(/lane!?="(\w+)"/g)].map(([, lane = '']) => lane));
    expect(lanes.length).toBeGreaterThan(0);
    expect(lanes.filter((lane) => ![...LANES, 'runs'].some((one) => one === lane))).toEqual([]);
  });
});

describe('each alert', () => {
  it('has a name of its own, a severity, and a line in docs/operations.md', () => {
    const operations = readFileSync(path.join(ROOT, 'docs/operations.md'), 'utf8');
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
    for (const { alert, labels, annotations } of rules) {
      expect(['critical', 'warning']).toContain(labels.severity);
      expect(annotations.runbook).toBe('docs/operations.md#alerts');
      expect(operations).toMatch(new RegExp(`^\\| \`${alert}\` +\\| [^|]{20,} \\| [^|]{20,} \\|$`, 'm'));
    }
  });
});

describe('the dashboard', () => {
  it('has panels of their own places', () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const places = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)} ${y + Math.floor(cell / w)}`),
    );
    expect(new Set(places).size).toBe(places.length);
    expect(panels.every(({ gridPos: { x, w } }) => x + w <= 24)).toBe(true);
  });
});

const hasPromtool = spawnSync('promtool', ['--version']).error === undefined;
if (!hasPromtool) {
  if (process.env['CI'])
    throw new Error("No promtool on the PATH, and in CI it must judge: it is in Debian's package prometheus.");
  process.stderr.write('Judgement of promtool skipped: no promtool\n');
}

(hasPromtool ? describe : describe.skip)('promtool', () => {
  it('takes the rules', () => {
    const { stdout, stderr, status } = spawnSync('promtool', ['check', 'rules', RULES], { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain(`${rules.length} rules found`);
  });

  it('fires when answers of a mail server are lost, and not when one is now and then', () => {
    const cases = path.join(import.meta.dirname, 'lost-answers.promtool.yaml');
    const { stdout, stderr, status } = spawnSync('promtool', ['test', 'rules', cases], { encoding: 'utf8' });
    expect({ status, said: `${stdout}${stderr}`.trim() }).toEqual({
      status: 0,
      said: expect.stringMatching(/SUCCESS$/),
    });
  });

  it('finds nothing to say against our metrics', async () => {
    const { registry } = openMetrics();
    openFleetGauges(registry, { query: async () => ({ rows: [], rowCount: 0 }) }, { outstanding: async () => 0 });
    const input = await registry.metrics();
    const { stdout, stderr, status } = spawnSync('promtool', ['check', 'metrics'], { input, encoding: 'utf8' });
    expect({ stdout, stderr, status }).toEqual({ stdout: '', stderr: '', status: 0 });
  });
});
