import { expect, test } from 'vitest'
import { builtinResources } from '../../apis/builtin.ts'
import { configMaps } from '../../apis/core/config-map.ts'
import { pods } from '../../apis/core/pod/definition.ts'
import type { ResourceDefinition } from '../../apis/definition.ts'
import type { KubeObject } from '../../machinery/meta/object.ts'
import type { AdmissionAttributes, AdmissionOperation } from '../registry/admission-hooks.ts'
import { admissionChain, builtinPlugins, type PluginParts } from './chain.ts'
import type { AdmissionPlugin } from './plugin.ts'

function attributesOf(operation: AdmissionOperation, definition: ResourceDefinition): AdmissionAttributes {
  const user = { name: 'somebody', groups: [] }
  const about = { operation, definition, subresource: '', namespace: 'n', name: 'x', user }
  return { ...about, object: { metadata: {} }, previous: undefined, dryRun: false, options: {}, warn: () => {} }
}

test('a plugin sees the operations and resources that it names, in the order of the chain', async () => {
  const seen: string[] = []
  const plugin = (name: string, limits: Pick<AdmissionPlugin, 'operations' | 'about'>): AdmissionPlugin => ({
    name,
    ...limits,
    mutate: (attributes, object) => {
      seen.push(`${name} ${attributes.operation} ${attributes.definition.resource}`)
      return { ...object, metadata: { labels: { ...object.metadata.labels, [name]: '' } } }
    },
    validate: ({ operation, definition, object }) => {
      const labels = Object.keys(object?.metadata.labels ?? {}).join()
      seen.push(`validate ${name} ${operation} ${definition.resource} ${labels}`)
    },
  })
  const chain = admissionChain([
    plugin('all', { operations: ['CREATE', 'UPDATE'] }),
    plugin('pods', { operations: ['CREATE'], about: ['/pods'] }),
  ])
  const write = async (operation: AdmissionOperation, definition: ResourceDefinition): Promise<void> => {
    const attributes = attributesOf(operation, definition)
    const object: KubeObject = await chain.mutate(attributes, { metadata: {} })
    await chain.validate({ ...attributes, object })
  }
  for (let again = 0; again < 2; again++) {
    seen.length = 0
    await write('CREATE', pods as ResourceDefinition)
    await write('UPDATE', pods as ResourceDefinition)
    await write('CREATE', configMaps as ResourceDefinition)
    await write('DELETE', pods as ResourceDefinition)
    expect(seen).toEqual([
      'all CREATE pods',
      'pods CREATE pods',
      'validate all CREATE pods all,pods',
      'validate pods CREATE pods all,pods',
      'all UPDATE pods',
      'validate all UPDATE pods all',
      'all CREATE configmaps',
      'validate all CREATE configmaps all',
    ])
  }
})

test('what built-in plugins say they look at is served', () => {
  const served = new Set(builtinResources.map(({ group, resource }) => `${group}/${resource}`))
  // Making the chain asks nothing of its parts.
  const named = builtinPlugins({} as PluginParts).flatMap(({ about = [] }) => about)
  expect(named.length).toBeGreaterThan(10)
  for (const name of named) expect(served).toContain(name)
})
