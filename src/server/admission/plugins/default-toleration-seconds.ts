/** Pods stay five minutes on a node that is not ready or unreachable, unless they say something else themselves. */

import type { Pod, Toleration } from '../../../apis/core/types.gen.ts'
import type { AdmissionPlugin } from '../plugin.ts'
import { isPod } from '../pods.ts'

const SECONDS = 300
const KEYS = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'] as const

export function defaultTolerationSeconds(): AdmissionPlugin {
  return {
    name: 'DefaultTolerationSeconds',
    operations: ['CREATE', 'UPDATE'],
    about: ['/pods'],
    mutate: (attributes, object) => (isPod(attributes, object) ? withTolerations(object) : object),
  }
}

function withTolerations(pod: Pod): Pod {
  const { spec } = pod
  if (!spec) return pod
  const present = spec.tolerations ?? []
  const missing = KEYS.filter((key) => !present.some((toleration) => covers(toleration, key))).map(
    (key): Toleration => ({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: SECONDS }),
  )
  return missing.length === 0 ? pod : { ...pod, spec: { ...spec, tolerations: [...present, ...missing] } }
}

function covers({ key, effect }: Toleration, wanted: string): boolean {
  return (!key || key === wanted) && (!effect || effect === 'NoExecute')
}
