/** `perennial test --watch` by itself, for the test that changes files under it. */
import { testCommand } from '../../scripts/test.ts';

await testCommand().parseAsync([...process.argv.slice(2), '--watch'], { from: 'user' });
