/** Pods that a node makes are pictures of its static pods: bound to it, owned by it, and leading to nothing else. */

import { nodes } from '../../../../apis/core/node.ts'
import { podConfigMaps, podSecrets } from '../../../../apis/core/pod-references.ts'
import type { Pod, Volume } from '../../../../apis/core/types.gen.ts'
import { notFound } from '../../../../machinery/meta/api-error.ts'
import type { NodeWrite } from './node-write.ts'

const MIRROR_ANNOTATION = 'kubernetes.io/config.mirror'

const quoted = JSON.stringify

export async function mirrorPodFinding(write: NodeWrite): Promise<string | undefined> {
  const { node } = write
  // The resource is pods.
  const pod = write.object as Pod
  if (!Object.hasOwn(pod.metadata.annotations ?? {}, MIRROR_ANNOTATION))
    return `pod does not have ${quoted(MIRROR_ANNOTATION)} annotation, node ${quoted(node)} can only create mirror pods`
  if (pod.spec?.nodeName !== node) return `node ${quoted(node)} can only create pods with spec.nodeName set to itself`
  const owner = await ownerFinding(write, pod)
  if (owner !== undefined) return owner
  const reference = referenceOf(pod)
  return reference && `node ${quoted(node)} can not create pods that reference ${reference}`
}

async function ownerFinding({ node, view }: NodeWrite, { metadata }: Pod): Promise<string | undefined> {
  const [owner, ...others] = metadata.ownerReferences ?? []
  const may = `node ${quoted(node)} can only create pods with`
  if (others.length > 0) return `${may} a single owner reference set to itself`
  if (owner?.apiVersion !== 'v1' || owner.kind !== 'Node' || owner.name !== node)
    return `${may} an owner reference set to itself`
  if (!owner.controller) return `${may} a controller owner reference set to itself`
  if (owner.blockOwnerDeletion) return `node ${quoted(node)} must not set blockOwnerDeletion on an owner reference`
  const found = await view.get(nodes, { name: node })
  if (!found) throw notFound({ group: '', resource: 'nodes' }, node)
  return owner.uid === found.metadata.uid
    ? undefined
    : `node ${node} UID mismatch: expected ${owner.uid} got ${found.metadata.uid}`
}

/** What of the API the pod leads to; undefined: nothing. */
function referenceOf(pod: Pod): string | undefined {
  const { spec } = pod
  if (spec?.serviceAccountName) return 'serviceaccounts'
  if (podSecrets(pod).size > 0) return 'secrets'
  if (podConfigMaps(pod).size > 0) return 'configmaps'
  if (spec?.resourceClaims?.length) return 'resourceclaims'
  for (const volume of spec?.volumes ?? []) {
    const reference = volumeReference(volume)
    if (reference !== undefined) return reference
  }
  return undefined
}

function volumeReference(volume: Volume): string | undefined {
  if (volume.configMap) return 'configmaps (via configmap volumes)'
  if (volume.secret) return 'secrets (via secret volumes)'
  if (volume.csi) return 'csidrivers (via CSI volumes)'
  if (volume.glusterfs) return 'endpoints (via glusterFS volumes)'
  if (volume.persistentVolumeClaim) return 'persistentvolumeclaims'
  if (volume.ephemeral) return 'persistentvolumeclaims (via ephemeral volumes)'
  if (volume.azureFile) return 'secrets (via azureFile volumes)'
  for (const source of volume.projected?.sources ?? []) {
    if (source.configMap) return 'configmaps (via projected volumes)'
    if (source.secret) return 'secrets (via projected volumes)'
    if (source.serviceAccountToken) return 'serviceaccounts (via projected volumes)'
    if (source.clusterTrustBundle) return 'clustertrustbundles'
    if (source.podCertificate) return 'podcertificates'
  }
  return undefined
}
