/** File systems that are mounted on this machine, as the kernel lists them. */

import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)

export async function isMounted(path: string): Promise<boolean> {
  return mountPoints(await mountInfo()).includes(path)
}

/** Unmounts every file system below a directory, the deepest first. What still has a file open there keeps it until it ends. */
export async function unmountBelow(directory: string): Promise<void> {
  for (const path of mountsBelow(directory, await mountInfo())) await run('umount', ['-l', path])
}

/** Empty where the system has no such list: then nothing of ours is mounted. */
function mountInfo(): Promise<string> {
  return readFile('/proc/self/mountinfo', 'utf8').catch(() => '')
}

/** The mount points below a folder, the deepest first. */
export function mountsBelow(directory: string, info: string): readonly string[] {
  return mountPoints(info)
    .filter((path) => path.startsWith(`${directory}/`))
    .toSorted((left, right) => right.length - left.length)
}

/** The kernel writes blanks in paths as `\040`. */
function mountPoints(info: string): readonly string[] {
  const unescaped = (path: string) =>
    path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))
  return info
    .split('\n')
    .flatMap((line) => line.split(' ')[4] ?? [])
    .map(unescaped)
}
