/**
 * What happens in the API, given to the node that it concerns. All nodes of a process share one: with thousands of them
 * an event must cost what it changes, not what there is.
 */

import { configMaps } from '../apis/core/config-map.ts'
import { pods } from '../apis/core/pod/definition.ts'
import { secrets } from '../apis/core/secret.ts'
import type { Pod } from '../apis/core/types.gen.ts'
import type { Informers } from '../client/informers.ts'
import type { KubeObject } from '../machinery/meta/object.ts'
import { volumeReferences } from './volumes/references.ts'

export interface NodeHandler {
  added(pod: Pod): void
  updated(pod: Pod, previous: Pod): void
  deleted(pod: Pod): void
  /** Something that this pod's files are made of came, changed or went. */
  sourceChanged(pod: Pod): void
}

export interface NodeFeed {
  /** Tells about the pods that there are, then about every change. Answers how to end it. */
  subscribe(nodeName: string, handler: NodeHandler): () => void
}

const NODE_INDEX = 'spec.nodeName'
const SOURCE_INDEX = 'volume-sources'

type SourceKind = 'ConfigMap' | 'Secret'

export function createNodeFeed(informers: Pick<Informers, 'of'>): NodeFeed {
  const handlers = new Map<string, NodeHandler>()
  const informer = informers.of(pods)
  informer.addIndex(NODE_INDEX, ({ spec }) => (spec?.nodeName ? [spec.nodeName] : []))
  informer.addIndex(SOURCE_INDEX, sourcesOf)
  const handlerOf = ({ spec }: Pod) => (spec?.nodeName ? handlers.get(spec.nodeName) : undefined)

  const onSource = (kind: SourceKind) => {
    const tell = ({ metadata }: KubeObject) => {
      const source = sourceKey(kind, metadata.namespace, metadata.name)
      for (const pod of informer.byIndex(SOURCE_INDEX, source)) handlerOf(pod)?.sourceChanged(pod)
    }
    return { added: tell, updated: tell, deleted: tell }
  }
  const listen = () => [
    informer.subscribe({
      added: (pod) => handlerOf(pod)?.added(pod),
      updated: (pod, previous) => handlerOf(pod)?.updated(pod, previous),
      deleted: (pod) => handlerOf(pod)?.deleted(pod),
    }),
    informers.of(configMaps).subscribe(onSource('ConfigMap')),
    informers.of(secrets).subscribe(onSource('Secret')),
  ]
  let listening: readonly (() => void)[] | undefined

  return {
    subscribe(nodeName, handler) {
      listening ??= listen()
      handlers.set(nodeName, handler)
      for (const pod of informer.byIndex(NODE_INDEX, nodeName)) handler.added(pod)
      return () => {
        if (handlers.get(nodeName) === handler) handlers.delete(nodeName)
        if (handlers.size > 0) return
        for (const stop of listening ?? []) stop()
        listening = undefined
      }
    },
  }
}

function sourcesOf(pod: Pod): readonly string[] {
  if (!pod.spec?.nodeName) return []
  const { configMaps: maps, secrets: hidden } = volumeReferences(pod)
  const { namespace } = pod.metadata
  return [
    ...[...maps].map((name) => sourceKey('ConfigMap', namespace, name)),
    ...[...hidden].map((name) => sourceKey('Secret', namespace, name)),
  ]
}

function sourceKey(kind: SourceKind, namespace: string | undefined, name: string | undefined): string {
  return `${kind}/${namespace}/${name}`
}
