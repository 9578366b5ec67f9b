/**
 * The order of the test files: those that take minutes first, so that none of them runs alone at the end. Jest itself goes by
 * the size of the files where it has not run them before, as on a clean checkout.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const { default: Sequencer } = createRequire(import.meta.url)('@jest/test-sequencer');

/** Longest first. */
const LONG = [
  'test/model/model.test.ts',
  'test/pipeline/online-retail.test.ts',
  'test/chaos/kills-postgres.test.ts',
  'test/chaos/kills-redis.test.ts',
  'test/store/opting-out.test.ts',
  'test/pipeline/conformance.test.ts',
  'test/pace/fleet.test.ts',
  'test/chaos/ground.test.ts',
  'test/whole/move.test.ts',
  'test/chaos/switching.test.ts',
  'test/embedded/open.test.ts',
];

const ROOT = path.resolve(import.meta.dirname, '../..');
const gone = LONG.filter((file) => !existsSync(path.join(ROOT, file)));
if (gone.length > 0) throw new Error(`test/support/longest-first.js names what is not there: ${gone.join(', ')}`);

/** @param {{ path: string }} test */
function rank({ path }) {
  const index = LONG.findIndex((file) => path.replaceAll('\\', '/').endsWith(`/${file}`));
  return index === -1 ? LONG.length : index;
}

export default class LongestFirst extends Sequencer {
  /** @override */
  sort(tests) {
    return super.sort(tests).sort((a, b) => rank(a) - rank(b));
  }
}
