// Loaded before the program: SIGUSR2 blocks its event loop for CHAOS_BLOCK_MS, as a long computation or a slow disk would.
import process from 'node:process';

process.on('SIGUSR2', () => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Number(process.env.CHAOS_BLOCK_MS));
});
