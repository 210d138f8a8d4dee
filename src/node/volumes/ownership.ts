/** Gives a volume's files to a pod's fsGroup, or to the one user that all its containers run as. */

import { chmod, chown, lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Pod } from '../../apis/core/types.gen.ts'

const GROUP_READ_WRITE = 0o660
const GROUP_READ = 0o440
const DIRECTORY_BITS = 0o2770
const KIND_BITS = 0o170000
const DIRECTORY_KIND = 0o040000

/** Group readable as their owner; directories pass the group on. */
export async function giveToGroup(
  path: string,
  { group, readOnly }: { readonly group: number; readonly readOnly: boolean },
): Promise<void> {
  for (const target of await treeOf(path)) {
    const { mode, uid } = await lstat(target)
    const isDirectory = (mode & KIND_BITS) === DIRECTORY_KIND
    await chown(target, uid, group)
    await chmod(target, (mode & 0o7777) | (isDirectory ? DIRECTORY_BITS : readOnly ? GROUP_READ : GROUP_READ_WRITE))
  }
}

export async function giveToUser(path: string, user: number): Promise<void> {
  for (const target of await treeOf(path)) await chown(target, user, (await lstat(target)).gid)
}

/** The path and what is below it, without links. */
async function treeOf(path: string): Promise<readonly string[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true })
  return [
    path,
    ...entries.filter((entry) => !entry.isSymbolicLink()).map((entry) => join(entry.parentPath, entry.name)),
  ]
}

/** The user that every container of the pod runs as by its spec; undefined when they differ or do not say. */
export function commonUser({ spec }: Pod): number | undefined {
  const containers = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])]
  const users = new Set(
    containers.map(({ securityContext }) => securityContext?.runAsUser ?? spec?.securityContext?.runAsUser),
  )
  const [user] = users
  return users.size === 1 ? user : undefined
}
