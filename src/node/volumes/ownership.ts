/** Gives a volume's files to a pod's fsGroup: group readable as their owner, directories with the setgid bit. */

import { chmod, chown, lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'

const GROUP_READ_WRITE = 0o660
const GROUP_READ = 0o440
const DIRECTORY_BITS = 0o2770

export async function giveToGroup(path: string, group: number, readOnly: boolean): Promise<void> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true })
  const paths = [
    path,
    ...entries.filter((entry) => !entry.isSymbolicLink()).map((entry) => join(entry.parentPath, entry.name)),
  ]
  for (const target of paths) {
    const { mode, uid } = await lstat(target)
    const isDirectory = (mode & 0o170000) === 0o040000
    await chown(target, uid, group)
    await chmod(target, (mode & 0o7777) | (isDirectory ? DIRECTORY_BITS : readOnly ? GROUP_READ : GROUP_READ_WRITE))
  }
}
