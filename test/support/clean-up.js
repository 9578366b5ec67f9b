import { spawnSync } from 'node:child_process';
import { readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';

/** Ends the servers whose pid files lie anywhere in the folder of a test run, and removes the folder. */
export async function cleanUp(dir) {
  const files = await readdir(dir, { recursive: true }).catch(() => []);
  for (const file of files) {
    const name = path.basename(file);
    // Nothing of it is kept, so nothing need be written: an immediate shutdown, a plain kill.
    if (name === 'postmaster.pid') await end(path.join(dir, file), 'SIGQUIT');
    // Dovecot's; it ends its own processes when it is told to end itself.
    if (name === 'master.pid') await end(path.join(dir, file), 'SIGTERM');
    if (name === 'redis.pid') await end(path.join(dir, file), 'SIGKILL');
  }
  // A small disk of its own, which a killed run has left mounted.
  const mounts = await readFile('/proc/mounts', 'utf8').catch(() => '');
  for (const place of mounts.split('\n').map((line) => line.split(' ')[1] ?? '')) {
    if (place.startsWith(`${dir}/`)) spawnSync('umount', ['--lazy', place]);
  }
  await rm(dir, { recursive: true, force: true, maxRetries: 5 });
}

async function end(file, signal) {
  const pid = Number((await readFile(file, 'utf8').catch(() => '')).split('\n')[0]);
  if (!(pid > 0)) return;
  try {
    process.kill(pid, signal);
    // Bounded: an ended process whose parent is gone may stay listed until somebody notices.
    for (let tries = 0; tries < 500; tries++) {
      process.kill(pid, 0);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}
