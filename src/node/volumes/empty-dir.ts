/** A pod's scratch space: a directory anybody in the pod may write, or memory. */

import { execFile } from 'node:child_process'
import { chmod, mkdir } from 'node:fs/promises'
import { promisify } from 'node:util'
import type { EmptyDirVolumeSource } from '../../apis/core/types.gen.ts'
import { toNumber } from '../../machinery/meta/quantity.ts'
import { isMounted } from './mounts.ts'

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
