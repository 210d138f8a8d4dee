/** A path inside a volume, resolved so that no link leads out of it. */

import { mkdir, realpath } from 'node:fs/promises'
import { isAbsolute, join, relative } from 'node:path'
import { RuntimeError } from '../runtime/runtime.ts'

/** Directories are made where the path does not exist. Throws `RuntimeError` CreateContainerConfigError. */
export async function resolveSubPath(volume: string, subPath: string): Promise<string> {
  if (isAbsolute(subPath) || subPath.split('/').includes('..'))
    throw failed(`subPath ${JSON.stringify(subPath)} must be a path inside the volume`)
  const root = await realpath(volume)
  const wanted = join(root, subPath)
  const existing = await realpath(wanted).catch(() => undefined)
  if (existing !== undefined) return inside(root, existing, subPath)
  await checkParents(root, subPath)
  await mkdir(wanted, { recursive: true, mode: 0o750 }).catch((error: unknown) => {
    throw failed(`failed to create subPath directory for volumeMount: ${String(error)}`)
  })
  return inside(root, await realpath(wanted), subPath)
}

/** The part of the path that exists may hold links: none of them may lead out before anything is made. */
async function checkParents(root: string, subPath: string): Promise<void> {
  let path = root
  for (const name of subPath.split('/')) {
    path = join(path, name)
    const real = await realpath(path).catch(() => undefined)
    if (real === undefined) return
    inside(root, real, subPath)
  }
}

function inside(root: string, path: string, subPath: string): string {
  const way = relative(root, path)
  if (way === '..' || way.startsWith('../') || isAbsolute(way))
    throw failed(`subPath ${JSON.stringify(subPath)} leaves the volume`)
  return path
}

function failed(message: string): RuntimeError {
  return new RuntimeError('CreateContainerConfigError', message)
}
