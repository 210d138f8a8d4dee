/** Where a cluster keeps the kubeconfig that holds it alone. */

import { join } from 'node:path'

export function ownKubeconfigPath(directory: string): string {
  return join(directory, 'kubeconfig')
}
