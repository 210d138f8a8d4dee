/** Names that upstream keeps for configurations that come from files instead of the API. */

import type { KubeObject } from '../../machinery/meta/object.ts'

const SUFFIX = '.static.k8s.io'

export function staticNameWarnings({ metadata: { name = '' } }: KubeObject): readonly string[] {
  if (!name.endsWith(SUFFIX)) return []
  return [
    `metadata.name: names ending with "${SUFFIX}" are reserved for static manifest-based configurations ` +
      'and cannot be managed via the API',
  ]
}
