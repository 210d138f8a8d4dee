/** A control plane whose store is on disk, and what is in the raw files of that store. */

import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Logger, silentLogger } from '../../../../src/base/log.ts'
import type { Client } from '../../../../src/client/client.ts'
import { SYSTEM } from '../../../../src/cluster/identities.ts'
import type { SecuritySettings } from '../../../../src/cluster/security/settings.ts'
import { type OpenedControlPlane, openControlPlane } from '../../../support/control-plane.ts'

const NAME = 'enc'

export interface DiskCluster extends OpenedControlPlane {
  /** Speaks as the system itself. */
  readonly client: Client
  /** Lines of the log, fields included. */
  readonly logged: readonly string[]
}

export async function temporaryFolder(): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 't8s-encryption-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

/** The cluster of this folder, whose data stays there. */
export async function openOnDisk(home: string, security: SecuritySettings = {}): Promise<DiskCluster> {
  const logged: string[] = []
  const line = (message: string, fields: object = {}) => void logged.push(`${message} ${JSON.stringify(fields)}`)
  const log: Logger = { ...silentLogger, debug: line, info: line, warn: line, error: line, child: () => log }
  const opened = await openControlPlane({ home, log, config: { name: NAME, storage: 'level', security } })
  return { ...opened, client: opened.controlPlane.clientAs(SYSTEM), logged }
}

export const folderOf = (home: string): string => join(home, NAME)

/** The files of the store that contain one of the texts. */
export async function storeFiles(home: string, texts: readonly string[]): Promise<readonly string[]> {
  const store = join(folderOf(home), 'store')
  const found = await Promise.all(
    (await readdir(store, { recursive: true })).map(async (name) => {
      const path = join(store, name)
      if (!(await stat(path)).isFile()) return []
      const bytes = await readFile(path)
      return texts.some((text) => bytes.includes(text)) ? [name] : []
    }),
  )
  return found.flat()
}
