import process from 'node:process';
import { cleanUp } from './clean-up.js';

/** Ends the servers that the run has started, and removes their data. */
export default async function globalTeardown() {
  const dir = process.env['TEST_RUN_DIR'];
  if (dir !== undefined) await cleanUp(dir);
}
