/** Prefers nodes that have the pod's images already, the more so the larger and the more common they are. */

import { type Plugin, SCORE_MAX } from '../framework.ts'
import type { NodeInfo, Snapshot } from '../snapshot.ts'

const MEBIBYTE = 1024 * 1024
/** Below this it makes no difference; per container, above that no more. */
const IMAGE_BYTES_MIN = 23 * MEBIBYTE
const IMAGE_BYTES_MAX = 1000 * MEBIBYTE

export const imageLocality: Plugin = {
  name: 'ImageLocality',
  prepare(pod, snapshot) {
    const containers = [...(pod.pod.spec?.initContainers ?? []), ...(pod.pod.spec?.containers ?? [])]
    return {
      scoring() {
        const images = containers.map(({ image }) => withTag(image ?? ''))
        const spread = new Map(images.map((image) => [image, share(image, snapshot)]))
        const max = IMAGE_BYTES_MAX * containers.length
        return {
          score(node: NodeInfo) {
            const bytes = images.reduce((sum, image) => {
              return sum + Math.floor((node.images.get(image) ?? 0) * (spread.get(image) ?? 0))
            }, 0)
            const bounded = Math.min(Math.max(bytes, IMAGE_BYTES_MIN), max)
            return Math.floor((SCORE_MAX * (bounded - IMAGE_BYTES_MIN)) / (max - IMAGE_BYTES_MIN))
          },
        }
      },
    }
  },
}

/** Which part of the nodes have the image: one that few have should not draw all pods to them. */
function share(image: string, { nodes }: Snapshot): number {
  return nodes.filter((node) => node.images.has(image)).length / nodes.length
}

function withTag(image: string): string {
  return image.lastIndexOf(':') <= image.lastIndexOf('/') ? `${image}:latest` : image
}
