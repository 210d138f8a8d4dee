/** Pods stay five minutes on a node that is not ready or unreachable, unless they say something else themselves. */

import { podSpecStep } from '../../../apis/core/shared-pod-spec.ts'
import type { Toleration } from '../../../apis/core/types.gen.ts'
import { mapField } from '../../../apis/field-defaults.ts'
import { deepFreeze } from '../../../base/deep-freeze.ts'
import type { AdmissionPlugin } from '../plugin.ts'
import { isPod } from '../pods.ts'

const SECONDS = 300
const KEYS = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'] as const

const TOLERATIONS: readonly Toleration[] = deepFreeze(
  KEYS.map((key): Toleration => ({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: SECONDS })),
)

export function defaultTolerationSeconds(): AdmissionPlugin {
  return {
    name: 'DefaultTolerationSeconds',
    operations: ['CREATE', 'UPDATE'],
    about: ['/pods'],
    mutate: (attributes, object) => (isPod(attributes, object) ? mapField(object, 'spec', withTolerations) : object),
  }
}

const withTolerations = podSpecStep((spec) => {
  const present = spec.tolerations ?? []
  const missing = TOLERATIONS.filter(({ key = '' }) => !present.some((toleration) => covers(toleration, key)))
  return missing.length === 0 ? spec : { ...spec, tolerations: [...present, ...missing] }
})

function covers({ key, effect }: Toleration, wanted: string): boolean {
  return (!key || key === wanted) && (!effect || effect === 'NoExecute')
}
