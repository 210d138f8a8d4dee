/** Reads the descriptions that the build joined. A server without them serves the same documents, only bare. */

import { readFile } from 'node:fs/promises'
import type { Descriptions } from './schemas.ts'

/** undefined when there is no such file. Throws for one that cannot be read. */
export async function loadDescriptions(file: string | URL): Promise<Descriptions | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Descriptions
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}
