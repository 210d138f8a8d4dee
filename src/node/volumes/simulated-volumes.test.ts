import { expect, test } from 'vitest'
import { pod } from '../../../test/support/builders.ts'
import type { Volume } from '../../apis/core/types.gen.ts'
import { createSimulatedVolumes } from './simulated-volumes.ts'

const volumes = createSimulatedVolumes({
  files: {
    configMap: (_, name) => (name === 'settings' ? { apiVersion: 'v1', kind: 'ConfigMap', metadata: {} } : undefined),
    secret: () => undefined,
    allocatable: {},
    hostIp: '192.0.2.1',
  },
  claims: {
    claim: (_, name) =>
      name === 'bound'
        ? {
            apiVersion: 'v1',
            kind: 'PersistentVolumeClaim',
            metadata: {},
            spec: { volumeName: 'disk' },
            status: { phase: 'Bound' },
          }
        : undefined,
    persistentVolume: () => ({ apiVersion: 'v1', kind: 'PersistentVolume', metadata: {}, spec: {} }),
  },
})
const prepare = (volume: Omit<Volume, 'name'>) =>
  volumes.prepare(pod({ spec: { volumes: [{ name: 'data', ...volume }] } }))

test('what is there is enough', async () => {
  await prepare({ configMap: { name: 'settings' } })
  await prepare({ emptyDir: {} })
  await prepare({ persistentVolumeClaim: { claimName: 'bound' } })
  await prepare({ projected: { sources: [{ serviceAccountToken: { path: 'token' } }] } })
  await prepare({ secret: { secretName: 'none', optional: true } })
})

for (const [what, volume, message] of [
  ['a ConfigMap', { configMap: { name: 'none' } }, 'configmap "none" not found'],
  ['a Secret', { secret: { secretName: 'none' } }, 'secret "none" not found'],
  ['a claim', { persistentVolumeClaim: { claimName: 'none' } }, 'persistentvolumeclaim "none" not found'],
] as const) {
  test(`a pod waits for ${what}`, async () => {
    await expect(prepare(volume)).rejects.toThrow(`MountVolume.SetUp failed for volume "data" : ${message}`)
  })
}
