/** Giving a file that is whole the name under which it was asked for. */
import { link, open, rename, rm } from 'node:fs/promises';
import { isNativeError } from 'node:util/types';

/** What file systems without hard links answer, such as FAT and some shares and mounts of containers. */
const NO_LINKS: ReadonlySet<string> = new Set([
  'EPERM',
  'ENOTSUP',
  'EOPNOTSUPP',
  'ENOSYS',
  'EINVAL',
  'EMLINK',
  'EACCES',
]);

/** Names `unfinished` also, or only, `file`, which is not overwritten when it is there. Both lie in one folder. @throws what the system says. */
export async function putInPlace(unfinished: string, file: string, linkTo: typeof link = link): Promise<void> {
  try {
    await linkTo(unfinished, file);
  } catch (error) {
    if (!isNativeError(error) || !('code' in error) || !NO_LINKS.has(String(error.code))) throw error;
    // Renaming overwrites: what is there first is an empty file of our own.
    await (await open(file, 'wx', 0o600)).close();
    try {
      await rename(unfinished, file);
    } catch (cause) {
      await rm(file, { force: true });
      throw cause;
    }
  }
}
