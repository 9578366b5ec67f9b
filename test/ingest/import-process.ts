/** `perennial import` as a process of its own, without the other commands: for tests that kill it. */
import { Command } from 'commander';
import { importCommand } from '../../scripts/import.ts';

await new Command('perennial').addCommand(importCommand()).parseAsync();
