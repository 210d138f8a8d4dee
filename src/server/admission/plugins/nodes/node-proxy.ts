/**
 * What a node's own API does to the containers of a pod needs the right to that, by whatever way it is reached. Upstream
 * lets whoever may `get` the subresource `nodes/proxy` run commands in every container of the node, since an upgrade is
 * a GET.
 *
 *   GET /api/v1/nodes/a/proxy/exec/NAMESPACE/POD/CONTAINER   needs  create pods/exec of that pod, besides
 */

import type { Authorization } from '../../../auth/authorization.ts'
import { demand } from '../../../auth/authorizer.ts'
import type { AdmissionPlugin } from '../../plugin.ts'

/** Subresources of pods by the first segments of the node's paths. */
const STREAMS: ReadonlyMap<string, string> = new Map([
  ['exec', 'exec'],
  ['attach', 'attach'],
  ['portForward', 'portforward'],
  ['run', 'exec'],
])

export function nodeProxy({ authorization }: { readonly authorization: Authorization }): AdmissionPlugin {
  return {
    name: 'NodeProxy',
    operations: ['CONNECT'],
    async validate({ definition, subresource, object, user }) {
      if (definition.group !== '' || definition.resource !== 'nodes' || subresource !== 'proxy') return
      const [stream = '', namespace = '', name = ''] = segments(object)
      const needed = STREAMS.get(stream)
      if (needed === undefined) return
      const what = { group: '', resource: 'pods', subresource: needed, namespace, name, path: '' }
      await demand(authorization.authorizer, { user, verb: 'create', ...what })
    },
  }
}

/** As the node reads them: decoded one by one. What it cannot decode it refuses. */
function segments(options: object | undefined): readonly string[] {
  const path = options !== undefined && 'path' in options && typeof options.path === 'string' ? options.path : ''
  try {
    return path.split('/').slice(1).map(decodeURIComponent)
  } catch {
    return []
  }
}
