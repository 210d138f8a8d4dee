/** Prefers nodes that have the pod's images already, the more so the larger and the more common they are. */

import { countedOver, type NodeCount, type Plugin, SCORE_MAX, type Scoring } from '../framework.ts'
import type { PodInfo } from '../pod-info.ts'

const MEBIBYTE = 1024 * 1024
/** Below this it makes no difference; per container, above that no more. */
const IMAGE_BYTES_MIN = 23 * MEBIBYTE
const IMAGE_BYTES_MAX = 1000 * MEBIBYTE

export const imageLocality: Plugin = {
  name: 'ImageLocality',
  prepare: (pod, snapshot) => countedOver(count(pod), snapshot.nodes),
  count,
}

function count(pod: PodInfo): NodeCount {
  const containers = [...(pod.pod.spec?.initContainers ?? []), ...(pod.pod.spec?.containers ?? [])]
  const images = containers.map(({ image }) => withTag(image ?? ''))
  /** Nodes that have the image. */
  const having = new Map(images.map((image) => [image, 0]))
  return {
    add(node, sign) {
      for (const [image, nodes] of having) if (node.images.has(image)) having.set(image, nodes + sign)
    },
    prepared: (nodes) => ({ scoring: () => scoring(images, having, nodes.length) }),
  }
}

function scoring(images: readonly string[], having: ReadonlyMap<string, number>, nodes: number): Scoring | undefined {
  if ([...having.values()].every((count) => count === 0)) return undefined
  const max = IMAGE_BYTES_MAX * images.length
  return {
    score(node) {
      const bytes = images.reduce((sum, image) => {
        // One that few nodes have should not draw all pods to them.
        const share = (having.get(image) ?? 0) / nodes
        return sum + Math.floor((node.images.get(image) ?? 0) * share)
      }, 0)
      const bounded = Math.min(Math.max(bytes, IMAGE_BYTES_MIN), max)
      return Math.floor((SCORE_MAX * (bounded - IMAGE_BYTES_MIN)) / (max - IMAGE_BYTES_MIN))
    },
  }
}

function withTag(image: string): string {
  return image.lastIndexOf(':') <= image.lastIndexOf('/') ? `${image}:latest` : image
}
