/** A pod's scratch space: a directory anybody in the pod may write, or memory. */

import { execFile } from 'node:child_process'
import { chmod, mkdir, readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import type { EmptyDirVolumeSource } from '../../apis/core/types.gen.ts'
import { toNumber } from '../../machinery/meta/quantity.ts'

const run = promisify(execFile)
const WRITABLE_BY_ALL = 0o777

/**
 * Makes the directory unless it is there. Answers whether it had to. What is kept in memory counts as the pod's, so it is
 * limited by the pod's own limit, too (in bytes; undefined: none).
 */
export async function prepareEmptyDirectory(
  path: string,
  { medium, sizeLimit }: EmptyDirVolumeSource,
  podMemoryLimit?: number,
): Promise<boolean> {
  const made = (await mkdir(path, { recursive: true })) !== undefined
  const mounts = medium === 'Memory' && !(await isMounted(path))
  if (mounts) {
    const limits = [sizeLimit === undefined ? 0 : toNumber(sizeLimit), podMemoryLimit ?? 0].filter((size) => size > 0)
    const size = limits.length === 0 ? [] : ['-o', `size=${Math.min(...limits)}`]
    await run('mount', ['-t', 'tmpfs', ...size, 'tmpfs', path])
  }
  if (made || mounts) await chmod(path, WRITABLE_BY_ALL)
  return made || mounts
}

/** Unmounts every file system below a directory, the deepest first. */
export async function unmountBelow(directory: string): Promise<void> {
  const mounted = (await mountPoints()).filter((point) => point.startsWith(`${directory}/`))
  for (const point of mounted.sort((left, right) => right.length - left.length)) await run('umount', ['-l', point])
}

async function isMounted(path: string): Promise<boolean> {
  return (await mountPoints()).includes(path)
}

/** Mount points of this process, with the kernel's octal escapes undone. */
async function mountPoints(): Promise<readonly string[]> {
  const text = await readFile('/proc/self/mounts', 'utf8')
  return text.split('\n').flatMap((line) => {
    const point = line.split(' ')[1]
    return point === undefined
      ? []
      : point.replace(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))
  })
}
