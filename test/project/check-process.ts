/** The commands of this test as a process of their own. */
import { Command } from 'commander';
import { checkCommand } from '../../scripts/check.ts';

await new Command('perennial').addCommand(checkCommand()).parseAsync();
