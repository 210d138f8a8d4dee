/** Versions that this program reports. */

import { statSync } from 'node:fs'

/** The API that is implemented. */
export const KUBERNETES_VERSION = 'v1.36.3'
export const KUBELET_VERSION = KUBERNETES_VERSION
export const T8S_VERSION = '0.1.0'

/** When this program was built: its file's time, RFC 3339. */
export function buildDate(): string {
  return `${statSync(import.meta.filename)
    .mtime.toISOString()
    .slice(0, 19)}Z`
}
