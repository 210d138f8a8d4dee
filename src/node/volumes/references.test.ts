import { expect, test } from 'vitest'
import { pod } from '../../../test/support/builders.ts'
import { volumeReferences } from './references.ts'

test('names every source, also inside projections', () => {
  const volumes = [
    { name: 'a', configMap: { name: 'settings' } },
    { name: 'b', secret: { secretName: 'keys' } },
    { name: 'c', emptyDir: {} },
    {
      name: 'd',
      projected: {
        sources: [
          { configMap: { name: 'more' } },
          { secret: { name: 'other' } },
          { downwardAPI: { items: [] } },
          { serviceAccountToken: { path: 'token' } },
        ],
      },
    },
  ]
  expect(volumeReferences(pod({ spec: { volumes } }))).toEqual({
    configMaps: new Set(['settings', 'more']),
    secrets: new Set(['keys', 'other']),
    ownFields: true,
    tokens: true,
  })
  expect(volumeReferences(pod())).toMatchObject({ ownFields: false, tokens: false })
})
