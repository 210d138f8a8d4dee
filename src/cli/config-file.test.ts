import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { flagsOf, readConfigFile, withFlags } from './config-file.ts'

const HEAD = { apiVersion: 't8s.dev/v1alpha1', kind: 'Cluster' } as const

async function read(text: string) {
  const folder = await mkdtemp(join(tmpdir(), 't8s-config-'))
  try {
    const file = join(folder, 'cluster.yaml')
    await writeFile(file, text)
    return await readConfigFile(file)
  } finally {
    await rm(folder, { recursive: true })
  }
}

const detailOf = (text: string) =>
  read(text).then(
    () => 'accepted',
    (error) => error.text.detail,
  )

describe('a Cluster document', () => {
  test('names the cluster and stands for flags', async () => {
    const text = `
apiVersion: t8s.dev/v1alpha1
kind: Cluster
metadata: { name: dev }
spec:
  server: { port: 0 }
  storage: { data: memory }
  network: { podCidr: 10.1.0.0/16 }
  nodes: [{ count: 2, runtime: docker }, { count: 200, runtime: simulated }]
`
    const flags = { port: 0, data: 'memory', podCidr: '10.1.0.0/16', nodes: 2, simulated: 200, runtime: 'docker' }
    expect(await read(text)).toEqual({ name: 'dev', flags })
  })

  for (const [what, body, finding] of [
    [
      'an unknown field',
      'spec: { nodes: [{ cout: 2 }] }',
      'spec.nodes[0]: unknown field "cout". Did you mean "count"?',
    ],
    ['a value of the wrong type', 'spec: { server: { port: x } }', 'spec.server.port: must be integer'],
    ['a value that is no choice', 'spec: { storage: { data: tape } }', 'spec.storage.data: must be memory or disk'],
    ['text that is no YAML', 'spec: { [', expect.any(String)],
  ] as const) {
    test(`with ${what} is refused, with its place`, async () => {
      const detail = await detailOf(`apiVersion: ${HEAD.apiVersion}\nkind: ${HEAD.kind}\n${body}\n`)
      expect(detail).toEqual(finding)
      expect(detail).not.toBe('accepted')
    })
  }

  test('of another kind is refused', async () => {
    expect(await detailOf('apiVersion: v1\nkind: Pod\n')).toContain('kind: must be Cluster')
  })
})

describe('nodes of a document', () => {
  for (const [what, nodes, expected] of [
    ['none said', undefined, { nodes: undefined, simulated: undefined, runtime: undefined }],
    ['an empty list', [], { nodes: 0, simulated: undefined, runtime: undefined }],
    [
      'simulated ones only',
      [{ count: 5, runtime: 'simulated' }],
      { nodes: undefined, simulated: 5, runtime: undefined },
    ],
    ['ones without a runtime', [{ count: 2 }, {}], { nodes: 3, simulated: undefined, runtime: undefined }],
  ] as const) {
    test(what, () => expect(flagsOf({ ...HEAD, spec: nodes ? { nodes } : {} })).toMatchObject(expected))
  }
})

test('flags that were given win over the document', () => {
  const file = { port: 1, nodes: 2, runtime: 'docker' } as const
  expect(withFlags(file, { port: 9, nodes: undefined, runtime: 'auto' })).toEqual({
    port: 9,
    nodes: 2,
    runtime: 'docker',
  })
  expect(withFlags(file, { runtime: 'simulated' })).toMatchObject({ runtime: 'simulated' })
})
