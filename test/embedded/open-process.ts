// Opens the embedded PostgreSQL of a project, prints its URL, and leaves it at SIGTERM or when the test is gone.
import process from 'node:process';
import { pino } from 'pino';
import { openEmbeddedPostgres } from '../../workers/embedded/open.ts';

const [projectDir = ''] = process.argv.slice(2);
const opened = await openEmbeddedPostgres({ projectDir, log: pino({ level: 'silent' }) });

async function leave(): Promise<void> {
  await opened.close();
  process.exit(0);
}
process.once('SIGTERM', () => void leave());
process.stdin.once('end', () => void leave()).resume();
// The last: whoever has read it may send the signal.
process.stdout.write(`${opened.url}\n`);
