/** Every built-in definition can be listed, as objects, as a table and as metadata, and its documents are served. */

import { expect, test } from 'vitest'
import { builtinResources } from '../../src/apis/builtin.ts'
import { createTestServer } from '../support/test-server.ts'

const listed = builtinResources.filter(({ verbs }) => verbs.includes('list'))

test.each(listed.map((definition) => [`${definition.resource}.${definition.group}`, definition] as const))(
  '%s',
  async (_, definition) => {
    await using server = createTestServer(builtinResources)
    const { group, version, resource, listKind } = definition
    const root = `${group === '' ? '/api' : `/apis/${group}`}/${version}`
    const url = `${root}/${resource}`
    expect((await server.send('GET', url)).json).toMatchObject({ kind: listKind, items: [] })
    const table = 'application/json;as=Table;v=v1;g=meta.k8s.io'
    expect((await server.send('GET', url, { headers: { accept: table } })).json).toMatchObject({
      kind: 'Table',
      rows: [],
    })
    const place = definition.scope === 'Namespaced' ? `${root}/namespaces/default/${resource}` : url
    const missing = await server.send('GET', `${place}/x`)
    expect(missing.json).toMatchObject({ code: 404, reason: 'NotFound', details: { name: 'x', kind: resource } })
  },
)

test.each(['/api', '/apis', '/api/v1', '/apis/apps', '/apis/apps/v1', '/version', '/openapi/v3', '/openapi/v2'])(
  '%s',
  async (url) => {
    await using server = createTestServer(builtinResources)
    expect((await server.send('GET', url)).status).toBe(200)
  },
)
