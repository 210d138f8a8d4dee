/** Lists that are larger than a piece, in every form, against the objects one by one. */

import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { configMaps } from '../../../src/apis/core/config-map.ts'
import { decodeProtobuf } from '../../../src/apis/protobuf-forms.ts'
import type { KubeObject } from '../../../src/machinery/meta/object.ts'
import { canonical } from '../../../src/machinery/schema/canonical.ts'
import { bytesOf, createTestServer, type TestServer } from '../../support/test-server.ts'

const COUNT = 300
const COLLECTION = '/api/v1/namespaces/default/configmaps'
const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io'
const METADATA = 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io'
const PROTOBUF = 'application/vnd.kubernetes.protobuf'

let server: TestServer
let objects: readonly KubeObject[]

const nameOf = (index: number) => `large-${String(index).padStart(3, '0')}`
const urlOf = (index: number) => `${COLLECTION}/${nameOf(index)}`

beforeAll(async () => {
  server = createTestServer([configMaps])
  for (let index = 0; index < COUNT; index++) {
    const metadata = { name: nameOf(index), labels: { odd: String(index % 2 === 1), text: `v-${index}` } }
    const data = { payload: `ä}"${'x'.repeat(index % 3 === 0 ? 10 : 4_000)}` }
    await server.send('POST', COLLECTION, { body: { metadata, data } })
  }
  objects = await Promise.all(
    Array.from({ length: COUNT }, async (_, index) => (await server.send('GET', urlOf(index))).json),
  )
})

afterAll(() => server[Symbol.asyncDispose]())

/** Twice: made, and remembered. */
async function twice(accept: string, path = COLLECTION): Promise<Uint8Array> {
  const ask = async () => bytesOf((await server.send('GET', path, { headers: { accept } })).response.body)
  const [first = new Uint8Array(), again = new Uint8Array()] = [await ask(), await ask()]
  expect(Buffer.from(first).equals(again)).toBe(true)
  return first
}

const jsonOf = (bytes: Uint8Array) => JSON.parse(Buffer.from(bytes).toString())
const named = ({ kind: _kind, apiVersion: _apiVersion, ...item }: KubeObject) => item

describe('a large list', () => {
  test('has every object, and says how long it is', async () => {
    const { response } = await server.send('GET', COLLECTION)
    const { body } = response
    expect(body.type).toBe('pieces')
    const bytes = bytesOf(body) ?? new Uint8Array()
    expect(body).toMatchObject({ length: bytes.length })
    expect(jsonOf(bytes).items).toEqual(objects.map(named))
  })

  test('is the same compressed', async () => {
    const headers = { 'accept-encoding': 'gzip' }
    const { response } = await server.send('GET', COLLECTION, { headers })
    expect(response.headers).toMatchObject({ 'content-encoding': 'gzip', vary: 'Accept-Encoding' })
    const plain = await twice('application/json')
    expect(gunzipSync(bytesOf(response.body) ?? '').equals(plain)).toBe(true)
  })

  test('is the same in protobuf', async () => {
    const decoded = decodeProtobuf(await twice(PROTOBUF)) as { readonly items: readonly KubeObject[] }
    const inForm = (object: KubeObject) => named(canonical(object, configMaps.schema))
    expect(decoded.items.map(inForm)).toEqual(objects.map(inForm))
  })

  test('of metadata and as a table has the metadata of every object', async () => {
    const metadata = objects.map((object) => object.metadata)
    const partial = jsonOf(await twice(METADATA)).items as readonly KubeObject[]
    expect(partial.map((item) => item.metadata)).toEqual(metadata)
    const { rows } = jsonOf(await twice(TABLE)) as {
      readonly rows: readonly { cells: unknown[]; object: KubeObject }[]
    }
    expect(rows.map(({ object }) => object.metadata)).toEqual(metadata)
    expect(rows.map(({ cells }) => cells)).toEqual(objects.map((_, index) => [nameOf(index), 1, '0s']))
  })

  test('in pages of any size is the whole list', async () => {
    for (const limit of [1, 7, 100, 299, 300, 301]) {
      const names: (string | undefined)[] = []
      let token: string | undefined = ''
      while (token !== undefined) {
        const page = jsonOf(await twice('application/json', `${COLLECTION}?limit=${limit}&continue=${token}`))
        names.push(...page.items.map(({ metadata }: KubeObject) => metadata.name))
        expect(page.metadata.remainingItemCount ?? 0).toBe(COUNT - names.length)
        token = page.metadata.continue
      }
      expect(names).toEqual(objects.map(({ metadata }) => metadata.name))
    }
  })

  test('of an object that changes between two of them shows the change in every form', async () => {
    for (const accept of ['application/json', METADATA, TABLE, PROTOBUF]) await twice(accept)
    const body = { metadata: { labels: { text: 'changed' } }, data: { another: 'y' } }
    await server.send('PATCH', urlOf(7), { body, headers: { 'content-type': 'application/merge-patch+json' } })
    const table = jsonOf(await twice(TABLE))
    expect(table.rows[7].cells.slice(0, 2)).toEqual([nameOf(7), 2])
    const decoded = decodeProtobuf(await twice(PROTOBUF)) as { readonly items: readonly KubeObject[] }
    const lists = [jsonOf(await twice('application/json')).items, jsonOf(await twice(METADATA)).items, decoded.items]
    const labels = [...lists.map((items) => items[7].metadata.labels), table.rows[7].object.metadata.labels]
    expect(labels.map(({ text }) => text)).toEqual(Array(4).fill('changed'))
  })
})
