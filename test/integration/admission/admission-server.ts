/** A server in memory with the real admission plugins and a namespace to write into. */

import { builtinResources } from '../../../src/apis/builtin.ts'
import type { ResourceDefinition } from '../../../src/apis/definition.ts'
import { builtinPlugins } from '../../../src/server/admission/chain.ts'
import { createTestServer, type TestServer } from '../../support/test-server.ts'

export const PODS = '/api/v1/namespaces/default/pods'

export async function startServer(
  namespaceLabels: Readonly<Record<string, string>> = {},
  definitions: readonly ResourceDefinition[] = builtinResources,
): Promise<TestServer> {
  const server = createTestServer(definitions, { plugins: builtinPlugins })
  await server.send('POST', '/api/v1/namespaces', { body: { metadata: { name: 'default', labels: namespaceLabels } } })
  await server.send('POST', '/api/v1/namespaces/default/serviceaccounts', { body: { metadata: { name: 'default' } } })
  return server
}

export function podBody(name: string, spec: object = {}, container: object = {}): object {
  return { metadata: { name }, spec: { containers: [{ name: 'app', image: 'image', ...container }], ...spec } }
}
