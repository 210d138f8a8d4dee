/** Texts that only their owner may read: files of mode 0600 in folders of mode 0700, written whole or not at all. */

import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

const FILE_MODE = 0o600
const DIRECTORY_MODE = 0o700

/** Undefined: there is no such file. */
export async function loadText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

export async function saveText(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: DIRECTORY_MODE })
  await writeFile(`${path}.new`, text, { mode: FILE_MODE })
  await rename(`${path}.new`, path)
}
