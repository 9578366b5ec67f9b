/** Runs one command by itself, for tests of how it ends the process. */
import { deployCommand } from '../../scripts/deploy.ts';
import { triggerCommand } from '../../scripts/trigger.ts';

const [name, ...args] = process.argv.slice(2);
const command = name === 'deploy' ? deployCommand() : triggerCommand();
await command.parseAsync(args, { from: 'user' });
