// Outlives the jest run that started it, by a moment: whichever way the run ends (Ctrl-C and SIGKILL included),
// the pipe to it closes, and the servers that the run has started go too.
import process from 'node:process';
import { cleanUp } from './clean-up.js';

process.stdin.on('end', () => void cleanUp(process.argv[2]));
process.stdin.resume();
