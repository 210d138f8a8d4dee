/** Tokens that a node asks for are bound to a pod that it runs, and for an audience that the pod names. */

import type { TokenRequest } from '../../../../apis/authentication/types.gen.ts'
import { persistentVolumes } from '../../../../apis/core/persistent-volume/definition.ts'
import { persistentVolumeClaims } from '../../../../apis/core/persistent-volume-claim.ts'
import { pods } from '../../../../apis/core/pod/definition.ts'
import type { Pod, Volume } from '../../../../apis/core/types.gen.ts'
import { csiDrivers } from '../../../../apis/storage/csi-driver.ts'
import { notFound } from '../../../../machinery/meta/api-error.ts'
import type { NodeWrite } from './node-write.ts'

export async function tokenFinding(write: NodeWrite): Promise<string | undefined> {
  const { node, attributes, object, view } = write
  if (attributes.operation !== 'CREATE' || attributes.subresource !== 'token') return undefined
  // What is posted to the subresource is of this kind.
  const { boundObjectRef: bound, audiences } = (object as TokenRequest).spec
  const [audience = '', ...others] = audiences ?? []
  if (bound?.apiVersion !== 'v1' || bound.kind !== 'Pod' || !bound.name)
    return 'node requested token not bound to a pod'
  if (!bound.uid) return 'node requested token with a pod binding without a uid'
  const pod = await view.get(pods, { namespace: attributes.namespace, name: bound.name })
  if (!pod) throw notFound({ group: '', resource: 'pods' }, bound.name)
  if (pod.metadata.uid !== bound.uid)
    return (
      `the UID in the bound object reference (${bound.uid}) does not match the UID in record. ` +
      'The object might have been deleted and then recreated'
    )
  if (pod.spec?.nodeName !== node) return 'node requested token bound to a pod scheduled on a different node'
  if (others.length > 0) return 'node may only request 0 or 1 audiences'
  return audienceFinding(write, pod, audience)
}

async function audienceFinding(write: NodeWrite, pod: Pod, audience: string): Promise<string | undefined> {
  for (const volume of pod.spec?.volumes ?? []) if (await hasAudience(write, pod, volume, audience)) return undefined
  const { authorization, attributes } = write
  const { user, namespace, name } = attributes
  const verb = 'request-serviceaccounts-token-audience'
  const right = { user, verb, group: '', resource: audience, subresource: '', namespace, name, path: '' }
  const { verdict } = await authorization.authorizer.authorize(right)
  if (verdict === 'allow') return undefined
  const text = `audience ${JSON.stringify(audience)} not found in pod spec volume`
  return `${text}, ${user.name} is not authorized to request tokens for this audience`
}

async function hasAudience(write: NodeWrite, pod: Pod, volume: Volume, audience: string): Promise<boolean> {
  const sources = volume.projected?.sources ?? []
  const projected = sources.flatMap(({ serviceAccountToken }) => serviceAccountToken ?? [])
  if (projected.some((token) => (token.audience ?? '') === audience)) return true
  const name = await driverOf(write, pod, volume)
  const driver = name === undefined ? undefined : await write.view.get(csiDrivers, { name })
  return (driver?.spec.tokenRequests ?? []).some((token) => (token.audience ?? '') === audience)
}

async function driverOf({ view }: NodeWrite, { metadata }: Pod, volume: Volume): Promise<string | undefined> {
  if (volume.csi) return volume.csi.driver
  const { namespace } = metadata
  const name = volume.ephemeral ? `${metadata.name}-${volume.name}` : volume.persistentVolumeClaim?.claimName
  const claim = name ? await view.get(persistentVolumeClaims, { namespace, name }) : undefined
  const volumeName = claim?.spec?.volumeName
  const bound = volumeName ? await view.get(persistentVolumes, { name: volumeName }) : undefined
  return bound?.spec?.csi?.driver
}
