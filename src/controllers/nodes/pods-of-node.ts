/** The pods that are bound to a node, by an index over all pods. */

import { pods } from '../../apis/core/pod/definition.ts'
import type { Pod } from '../../apis/core/types.gen.ts'
import type { Cache } from '../runtime/controller.ts'

const NODE_INDEX = 'spec.nodeName'

export function podsOfNode(cache: Cache, nodeName: string): readonly Pod[] {
  const informer = cache.informer(pods)
  informer.addIndex(NODE_INDEX, ({ spec }) => (spec?.nodeName ? [spec.nodeName] : []))
  return informer.byIndex(NODE_INDEX, nodeName)
}
