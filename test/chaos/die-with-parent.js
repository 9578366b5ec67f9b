// Loaded before the program in every process of a test fleet: its standard input is a pipe that closes when the test
// run ends, whichever way it ends, and no fleet may outlive that.
import process from 'node:process';

process.stdin.on('end', () => process.kill(process.pid, 'SIGKILL'));
process.stdin.resume();
// A process that has drained must be able to end by itself.
process.stdin.unref();
