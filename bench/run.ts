/** `npm run bench -- NAME`: one measurement after the other; each prints its own figures. */
const BENCHES: Readonly<Record<string, () => Promise<unknown>>> = {
  check: () => import('./check.ts'),
  throughput: () => import('./throughput.ts'),
  latency: () => import('./latency.ts'),
  'row-size': () => import('./row-size.ts'),
  mail: () => import('./mail.ts'),
  dkim: () => import('./dkim.ts'),
  pace: () => import('./pace.ts'),
  import: () => import('./import.ts'),
  simulate: () => import('./simulate.ts'),
  'simulate-memory': () => import('./simulate-memory.ts'),
  'queue-latency': () => import('./queue-latency.ts'),
};

const [name = ''] = process.argv.splice(2, 1);
const bench = BENCHES[name];
if (bench === undefined) {
  process.stderr.write(`There is no measurement "${name}"; there are ${Object.keys(BENCHES).join(', ')}.\n`);
  process.exitCode = 1;
} else {
  await bench();
}
