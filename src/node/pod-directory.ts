/**
 * The files of a node's pods on this machine:
 *
 *   <root>/<pod uid>/volumes/<volume name>/
 *   <root>/<pod uid>/containers/<container name>/<attempt>   the termination message of one instance
 *   <root>/<pod uid>/etc-hosts, resolv.conf
 */

import { chmod, mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Directories are the node's alone; what is mounted into containers gets its own mode. */
const PRIVATE = 0o750
/** A container's user, whoever that is, writes its termination message. */
const WRITABLE_BY_ALL = 0o666

export interface PodDirectory {
  /** The pods that have a directory. */
  pods(): Promise<readonly string[]>
  create(podUid: string): Promise<string>
  path(podUid: string, ...names: readonly string[]): string
  /** Writes in place, so that a bind mount of the file shows the change. Answers the file's path. */
  write(podUid: string, name: string, text: string): Promise<string>
  /** An empty file for the message of one container instance. */
  terminationLog(podUid: string, container: string, attempt: number): Promise<string>
  remove(podUid: string): Promise<void>
}

export function createPodDirectory(root: string): PodDirectory {
  const path = (podUid: string, ...names: readonly string[]) => join(root, podUid, ...names)
  return {
    path,
    pods: () => readdir(root).catch(() => []),
    async create(podUid) {
      await mkdir(path(podUid), { recursive: true, mode: PRIVATE })
      return path(podUid)
    },
    async write(podUid, name, text) {
      const file = path(podUid, name)
      await writeFile(file, text, { mode: 0o644 })
      return file
    },
    async terminationLog(podUid, container, attempt) {
      const folder = path(podUid, 'containers', container)
      await mkdir(folder, { recursive: true, mode: PRIVATE })
      const file = join(folder, String(attempt))
      await writeFile(file, '')
      await chmod(file, WRITABLE_BY_ALL)
      return file
    },
    remove: (podUid) => rm(path(podUid), { recursive: true, force: true }),
  }
}

/** For containers without processes: names of files, and no files. */
export function createNoPodDirectory(): PodDirectory {
  const path = (podUid: string, ...names: readonly string[]) => join('/', podUid, ...names)
  return {
    path,
    pods: async () => [],
    create: async (podUid) => path(podUid),
    write: async (podUid, name) => path(podUid, name),
    terminationLog: async () => '',
    remove: async () => {},
  }
}
