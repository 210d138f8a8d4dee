/** The subresources that are streams to a node, as handlers of the API server. */

import type { SubresourceHandler } from '../server/handlers/routes.ts'
import type { Connect } from '../server/streaming-proxy.ts'

const STREAMS = [
  '/pods/exec',
  '/pods/attach',
  '/pods/portforward',
  '/pods/log',
  '/pods/proxy',
  '/services/proxy',
  '/nodes/proxy',
]

export function streamSubresources(connect: Connect): readonly (readonly [string, SubresourceHandler])[] {
  return STREAMS.map((name) => [
    name,
    {
      handle: ({ request }, { resource, namespace, name: object, subresource, rest }) =>
        connect({ resource, namespace, name: object, subresource, rest }, request),
    },
  ])
}
