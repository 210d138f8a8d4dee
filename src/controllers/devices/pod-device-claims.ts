/** resourceclaim-controller: makes the claims to devices that pods have templates of. They belong to the pod. */

import { pods } from '../../apis/core/pod/definition.ts'
import { isPodActive } from '../../apis/core/pod/pod-status.ts'
import type { Pod, PodResourceClaim, PodResourceClaimStatus } from '../../apis/core/types.gen.ts'
import { resourceClaims } from '../../apis/resource/resource-claim.ts'
import { resourceClaimTemplates } from '../../apis/resource/resource-claim-template.ts'
import type { ResourceClaim, ResourceClaimTemplate } from '../../apis/resource/types.gen.ts'
import type { Informer } from '../../client/informer.ts'
import { apiVersionOf } from '../../machinery/meta/group-version.ts'
import { keyOf, keyText, type ObjectKey } from '../../machinery/meta/object.ts'
import { controllerOf, isControlledBy, ownerReferenceTo } from '../../machinery/meta/owner.ts'
import { type Action, createAction, updateStatusAction } from '../runtime/action.ts'
import { type Cache, defineController, type Plan } from '../runtime/controller.ts'
import { plannedEvent } from '../runtime/status.ts'

/** Which of a pod's claims a generated one is. */
const CLAIM_ANNOTATION = 'resource.kubernetes.io/pod-claim-name'
/** Leaves room for a hyphen and five random characters in a name of 63. */
const NAME_BASE_MAX = 57
/** How many may use one claim. */
const CONSUMERS_MAX = 256

interface OwnClaim {
  readonly podClaim: PodResourceClaim
  /** What the pod's status has of it: with no name, none is needed. */
  readonly status: PodResourceClaimStatus | undefined
  readonly claim: ResourceClaim | undefined
  readonly templateName: string
  readonly template: ResourceClaimTemplate | undefined
}

export interface PodDevices {
  readonly pod: Pod
  /** Those it has templates of. */
  readonly own: readonly OwnClaim[]
  /** All that exist. */
  readonly claims: readonly ResourceClaim[]
}

export const podDeviceClaims = defineController({
  name: 'resourceclaim-controller',
  reconciles: pods,
  concerns: ({ spec }) => (spec?.resourceClaims ?? []).length > 0,
  watches: [
    { definition: resourceClaims, keysOf: podsOfClaim },
    {
      definition: resourceClaimTemplates,
      keysOf: (template, cache) => podsByIndex(cache, TEMPLATE_INDEX, keyText(keyOf(template))),
    },
  ],
  observe: (cache, key): PodDevices | undefined => {
    const pod = cache.get(pods, key)
    return pod?.spec?.resourceClaims?.length && isPodActive(pod) ? observePod(cache, pod) : undefined
  },
  plan: planDevices,
})

function observePod(cache: Cache, pod: Pod): PodDevices {
  const { namespace } = pod.metadata
  const own: OwnClaim[] = []
  const claims: ResourceClaim[] = []
  for (const podClaim of pod.spec?.resourceClaims ?? []) {
    const { resourceClaimName, resourceClaimTemplateName } = podClaim
    if (resourceClaimTemplateName !== undefined) {
      const found = observeOwn(cache, pod, podClaim, resourceClaimTemplateName)
      own.push(found)
      if (found.claim) claims.push(found.claim)
    } else if (resourceClaimName !== undefined) {
      const claim = cache.get(resourceClaims, { namespace, name: resourceClaimName })
      if (claim) claims.push(claim)
    }
  }
  return { pod, own, claims }
}

function observeOwn(cache: Cache, pod: Pod, podClaim: PodResourceClaim, templateName: string): OwnClaim {
  const { namespace } = pod.metadata
  const status = pod.status?.resourceClaimStatuses?.find(({ name }) => name === podClaim.name)
  const recorded = status?.resourceClaimName && cache.get(resourceClaims, { namespace, name: status.resourceClaimName })
  const claim =
    recorded && isControlledBy(recorded, pod)
      ? recorded
      : cache
          .controlledBy(resourceClaims, pod)
          .find(({ metadata }) => metadata.annotations?.[CLAIM_ANNOTATION] === podClaim.name)
  const template = cache.get(resourceClaimTemplates, { namespace, name: templateName })
  return { podClaim, status, claim, templateName, template }
}

export function planDevices({ pod, own, claims }: PodDevices): Plan {
  const wanted = own.filter(({ status }) => status === undefined || status.resourceClaimName !== undefined)
  const creations = wanted.flatMap((each) => (each.claim ? [] : createClaim(pod, each)))
  const named = wanted.filter(({ claim, status }) => claim && claim.metadata.name !== status?.resourceClaimName)
  return {
    actions: [
      ...creations,
      ...(named.length === 0 ? [] : [nameClaims(pod, named)]),
      // The scheduler reserves what it allocates; a pod that never went through its hands needs it done here.
      ...(pod.spec?.nodeName ? claims.flatMap((claim) => reserve(pod, claim)) : []),
    ],
  }
}

function createClaim(pod: Pod, { podClaim, templateName, template }: OwnClaim): readonly Action[] {
  if (!template) {
    const problem = `resourceclaimtemplate.${resourceClaimTemplates.group} "${templateName}" not found`
    return [{ do: 'event', event: failure(pod, podClaim, `resource claim template "${templateName}": ${problem}`) }]
  }
  const { labels, annotations } = template.spec.metadata ?? {}
  const generateName = nameBase(pod.metadata.name ?? '', podClaim.name)
  const metadata = {
    generateName,
    namespace: pod.metadata.namespace,
    ownerReferences: [ownerReferenceTo(pod, { apiVersion: apiVersionOf(pods), kind: pods.kind })],
    annotations: { ...annotations, [CLAIM_ANNOTATION]: podClaim.name },
    labels,
  }
  return [
    createAction(
      resourceClaims,
      { metadata, spec: template.spec.spec },
      { failure: (error) => failure(pod, podClaim, `create ResourceClaim ${generateName}: ${error.message}`) },
    ),
  ]
}

/** Of names that are too long together, each keeps its share. */
function nameBase(pod: string, claim: string): string {
  const base = `${pod}-${claim}-`
  if (base.length <= NAME_BASE_MAX) return base
  const share = ({ length }: string) => Math.floor((length * NAME_BASE_MAX) / base.length)
  return `${pod.slice(0, share(pod))}-${claim.slice(0, share(claim))}`
}

function nameClaims({ metadata }: Pod, named: readonly OwnClaim[]): Action {
  const names = named.map(({ podClaim, claim }) => ({ name: podClaim.name, resourceClaimName: claim?.metadata.name }))
  return {
    do: 'patch',
    definition: pods,
    key: keyOf({ metadata }),
    subresource: 'status',
    patch: {
      type: 'strategic',
      body: { metadata: { uid: metadata.uid }, status: { resourceClaimStatuses: names } },
    },
  }
}

function reserve(pod: Pod, claim: ResourceClaim): readonly Action[] {
  const { allocation, reservedFor = [] } = claim.status ?? {}
  const { name = '', uid = '' } = pod.metadata
  if (!allocation || reservedFor.length >= CONSUMERS_MAX || reservedFor.some((each) => each.uid === uid)) return []
  const consumer = { resource: pods.resource, name, uid }
  return [
    updateStatusAction(resourceClaims, {
      ...claim,
      status: { ...claim.status, reservedFor: [...reservedFor, consumer] },
    }),
  ]
}

function failure(pod: Pod, { name }: PodResourceClaim, problem: string) {
  const message = `PodResourceClaim ${name}: ${problem}`
  return plannedEvent(pods, pod, { type: 'Warning', reason: 'FailedResourceClaimCreation', message })
}

const TEMPLATE_INDEX = 'spec.resourceClaims.template'
const CLAIM_INDEX = 'spec.resourceClaims.claim'

function podsOfClaim(claim: ResourceClaim, cache: Cache): readonly ObjectKey[] {
  const { namespace } = claim.metadata
  const owner = controllerOf(claim)
  const owners = owner?.kind === pods.kind ? [{ namespace, name: owner.name }] : []
  return [...owners, ...podsByIndex(cache, CLAIM_INDEX, keyText(keyOf(claim)))]
}

function podsByIndex(cache: Cache, index: string, value: string): readonly ObjectKey[] {
  const informer: Informer<Pod> = cache.informer(pods)
  informer.addIndex(TEMPLATE_INDEX, (pod) => namesOf(pod, ({ resourceClaimTemplateName }) => resourceClaimTemplateName))
  informer.addIndex(CLAIM_INDEX, (pod) => namesOf(pod, ({ resourceClaimName }) => resourceClaimName))
  return informer.byIndex(index, value).map(keyOf)
}

function namesOf({ metadata, spec }: Pod, nameOf: (claim: PodResourceClaim) => string | undefined): readonly string[] {
  return (spec?.resourceClaims ?? []).flatMap((claim) => {
    const name = nameOf(claim)
    return name === undefined ? [] : [keyText({ namespace: metadata.namespace, name })]
  })
}
