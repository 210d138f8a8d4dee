/** CustomResourceDefinitions for tests, and a server that serves them. */

import { customResourceDefinitions } from '../../src/apis/apiextensions/custom-resource-definition.ts'
import { namespaces } from '../../src/apis/core/namespace.ts'
import type { ResourceDefinition } from '../../src/apis/definition.ts'
import { isConditionTrue } from '../../src/machinery/meta/conditions.ts'
import type { ServerDependencies } from '../../src/server/server.ts'
import { createTestServer, type TestServer } from './test-server.ts'

export const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'

type Json = Readonly<Record<string, unknown>>

/** `noxus.example.com` with one version, unless said otherwise. */
export function crd(spec: Json = {}, version: Json = {}): Json {
  const schema = {
    type: 'object',
    properties: {
      spec: {
        type: 'object',
        properties: { size: { type: 'integer', minimum: 1 }, name: { type: 'string', default: 'unnamed' } },
      },
      status: { type: 'object', properties: { ready: { type: 'boolean' } } },
    },
  }
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'noxus.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'noxus', singular: 'noxu', kind: 'Noxu', shortNames: ['nx'], categories: ['all'] },
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema }, ...version }],
      ...spec,
    },
  }
}

export function createExtensionServer(overrides: Partial<ServerDependencies> = {}): TestServer {
  const definitions: readonly ResourceDefinition[] = [namespaces, customResourceDefinitions]
  return createTestServer(definitions, overrides)
}

/** Creates a definition and waits until it is served. */
export async function establish(server: TestServer, body: Json): Promise<void> {
  const created = await server.send('POST', CRDS, { body })
  if (created.status !== 201) throw new Error(created.text)
  await eventually(server, created.json.metadata.name, (live) =>
    isConditionTrue(live?.status?.conditions ?? [], 'Established'),
  )
}

/** Waits until the definition is as wanted; it is looked at again after every write. */
export async function eventually(
  server: TestServer,
  name: string,
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape.
  holds: (live: any) => boolean,
): Promise<void> {
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const { status, json } = await server.send('GET', `${CRDS}/${name}`)
    if (holds(status === 200 ? json : undefined)) return
    await new Promise((resolve) => setImmediate(resolve))
  }
  throw new Error(`${name} did not become what was waited for`)
}

/** Turns of the event loop; a definition settles within a handful. */
const ROUNDS_MAX = 10_000
