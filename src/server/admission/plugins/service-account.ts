/**
 * Every pod runs as a service account of its namespace; unless it declines, its containers get a token of it, the
 * cluster's CA and the namespace's name in `/var/run/secrets/kubernetes.io/serviceaccount`.
 */

import { podSecrets } from '../../../apis/core/pod-references.ts'
import { serviceAccounts } from '../../../apis/core/service-account.ts'
import type { Container, Pod, PodSpec, ServiceAccount, Volume, VolumeMount } from '../../../apis/core/types.gen.ts'
import { mapItems } from '../../../apis/field-defaults.ts'
import { type Awaitable, whenThere } from '../../../base/awaitable.ts'
import { oncePer } from '../../../base/lru.ts'
import { type Random, randomSuffix } from '../../../base/random.ts'
import { type ApiError, forbiddenRequest } from '../../../machinery/meta/api-error.ts'
import type { AdmissionAttributes } from '../../registry/admission-hooks.ts'
import type { AdmissionPlugin, AdmissionView } from '../plugin.ts'
import { isPod } from '../pods.ts'
import { rememberedSpecs } from './known-specs.ts'
import { forbiddenEphemeralSecret, forbiddenSecret, limitsSecrets } from './mountable-secrets.ts'

const MOUNT_PATH = '/var/run/secrets/kubernetes.io/serviceaccount'
const VOLUME_PREFIX = 'kube-api-access-'
const MIRROR_ANNOTATION = 'kubernetes.io/config.mirror'

/** An hour and seven seconds: upstream's mark of tokens that were projected by default. */
const TOKEN_SECONDS = 3_607

interface Parts {
  readonly view: AdmissionView
  readonly random: Random
}

export function serviceAccount({ view, random }: Parts): AdmissionPlugin {
  const accountSpec = accountSpecs(random)
  return {
    name: 'ServiceAccount',
    operations: ['CREATE', 'UPDATE'],
    about: ['/pods'],
    mutate(attributes, object) {
      if (attributes.operation !== 'CREATE' || !isPod(attributes, object)) return object
      return isMirror(object) ? checkedMirror(attributes, object) : withAccount(view, attributes, object, accountSpec)
    },
    validate(attributes) {
      const { definition, operation, subresource, object } = attributes
      if (!object || definition.group !== '' || definition.resource !== 'pods') return undefined
      if (subresource !== (operation === 'CREATE' ? '' : 'ephemeralcontainers')) return undefined
      // The attributes say that it is a pod.
      const pod = object as Pod
      if (operation !== 'CREATE' || !isMirror(pod)) return checkSecrets(view, attributes, pod)
      checkedMirror(attributes, pod)
      return undefined
    },
  }
}

const isMirror = ({ metadata }: Pod): boolean => metadata.annotations?.[MIRROR_ANNOTATION] !== undefined

/** Static pods run without the API and therefore without an account. */
function checkedMirror({ definition }: AdmissionAttributes, pod: Pod): Pod {
  if (pod.spec?.serviceAccountName)
    throw forbiddenRequest(definition, pod.metadata.name ?? '', 'a mirror pod may not reference service accounts')
  if (podSecrets(pod).size > 0)
    throw forbiddenRequest(definition, pod.metadata.name ?? '', 'a mirror pod may not reference secrets')
  const sources = (pod.spec?.volumes ?? []).flatMap(({ projected }) => projected?.sources ?? [])
  if (sources.some(({ serviceAccountToken }) => serviceAccountToken)) {
    const detail = 'a mirror pod may not use ServiceAccountToken volume projections'
    throw forbiddenRequest(definition, pod.metadata.name ?? '', detail)
  }
  return pod
}

/** Of an account that limits them: a pod gets no other secrets than its account names. */
function checkSecrets(view: AdmissionView, attributes: AdmissionAttributes, pod: Pod): Awaitable<void> {
  const name = pod.spec?.serviceAccountName ?? ''
  const { definition, namespace, operation } = attributes
  if (name === '') {
    const detail = `no service account specified for pod ${namespace}/${pod.metadata.name}`
    throw forbiddenRequest(definition, pod.metadata.name ?? '', detail)
  }
  return whenThere(view.get(serviceAccounts, { namespace, name }), (account) => {
    if (!account) throw accountMissing(attributes, pod, name)
    if (!limitsSecrets(account)) return
    const forbidden = operation === 'CREATE' ? forbiddenSecret(pod, account) : forbiddenEphemeralSecret(pod, account)
    if (forbidden !== undefined) throw forbiddenRequest(definition, pod.metadata.name ?? '', forbidden)
  })
}

function withAccount(
  view: AdmissionView,
  attributes: AdmissionAttributes,
  pod: Pod,
  accountSpec: AccountSpec,
): Awaitable<Pod> {
  const { spec } = pod
  if (!spec) return pod
  const name = spec.serviceAccountName || 'default'
  return whenThere(view.get(serviceAccounts, { namespace: attributes.namespace, name }), (account) => {
    if (!account) throw accountMissing(attributes, pod, name)
    return { ...pod, spec: accountSpec(spec, name, account) }
  })
}

function accountMissing({ definition, namespace }: AdmissionAttributes, pod: Pod, name: string): ApiError {
  const detail = `error looking up service account ${namespace}/${name}: serviceaccount "${name}" not found`
  return forbiddenRequest(definition, pod.metadata.name ?? '', detail)
}

/** The spec of a pod that runs as the account of that name, which the spec itself names, or nobody does. */
type AccountSpec = (spec: PodSpec, name: string, account: ServiceAccount) => PodSpec

function accountSpecs(random: Random): AccountSpec {
  const remembered = rememberedSpecs<string>()
  let usual: string | undefined
  return (spec, name, account) =>
    remembered(spec, factsOf(account), () => {
      const pulls = spec.imagePullSecrets?.length ? spec.imagePullSecrets : account.imagePullSecrets
      const running: PodSpec = {
        ...spec,
        serviceAccountName: name,
        serviceAccount: name,
        ...(pulls?.length ? { imagePullSecrets: pulls } : {}),
      }
      const mounts = spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true
      if (!mounts) return running
      // One name for all pods of this server: specs that were equal stay equal.
      usual ??= volumeName(random)
      return withToken(running, isTaken(spec, usual) ? volumeName(random) : usual)
    })
}

/** What of an account, but for its name, decides on the specs of its pods. */
const factsOf = oncePer(({ imagePullSecrets, automountServiceAccountToken }: ServiceAccount) =>
  JSON.stringify({ imagePullSecrets, automountServiceAccountToken }),
)

function volumeName(random: Random): string {
  return `${VOLUME_PREFIX}${randomSuffix(random, 5)}`
}

function isTaken({ volumes }: PodSpec, wanted: string): boolean {
  return volumes?.some(({ name }) => name === wanted) ?? false
}

/** `fallback`: the name of the volume with the token, where the pod brings none. */
function withToken(spec: PodSpec, fallback: string): PodSpec {
  const present = spec.volumes?.find(({ name, projected }) => projected && name.startsWith(VOLUME_PREFIX))
  const name = present?.name ?? fallback
  const mounted = (container: Container) => withMount(container, name)
  // An absent list stands in the object as null.
  const containers = mapItems(spec.containers ?? [], mounted)
  const initContainers = spec.initContainers && mapItems(spec.initContainers, mounted)
  const isUnused = containers === spec.containers && initContainers === spec.initContainers
  if (isUnused) return spec
  const volumes = present ? spec.volumes : [...(spec.volumes ?? []), tokenVolume(name)]
  return { ...spec, containers, volumes, ...(initContainers ? { initContainers } : {}) }
}

/** A container that mounts something there itself keeps it. */
function withMount(container: Container, name: string): Container {
  const mounts = container.volumeMounts ?? []
  if (mounts.some(({ mountPath }) => mountPath === MOUNT_PATH)) return container
  const mount: VolumeMount = { name, readOnly: true, mountPath: MOUNT_PATH }
  return { ...container, volumeMounts: [...mounts, mount] }
}

function tokenVolume(name: string): Volume {
  return {
    name,
    projected: {
      defaultMode: 0o644,
      sources: [
        { serviceAccountToken: { path: 'token', expirationSeconds: TOKEN_SECONDS } },
        { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
        {
          downwardAPI: {
            items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }],
          },
        },
      ],
    },
  }
}
