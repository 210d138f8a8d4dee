/** From a pod's container to what the runtime is asked for: command, resources, security. Pure. */

import { podQosClass } from '../apis/core/pod/qos-class.ts'
import type { Container, EphemeralContainer, Pod, SecurityContext } from '../apis/core/types.gen.ts'
import { milliValue, toNumber } from '../machinery/meta/quantity.ts'
import { expand } from './expansion.ts'
import { RESOURCES } from './resize.ts'
import { RESTART_DELAY } from './restart-delay.ts'
import {
  type ContainerConfig,
  type ContainerResources,
  type ContainerSecurity,
  type ImageStatus,
  type Mount,
  RuntimeError,
} from './runtime/runtime.ts'
import { specHash } from './spec-hash.ts'

/** The kernel's shares for one CPU, and the least a container may have. */
const SHARES_PER_CPU = 1024
const SHARES_MIN = 2
/** Microseconds of the period that quotas refer to, and the least quota the kernel takes. */
const PERIOD_US = 100_000
const QUOTA_US_MIN = 1_000
/** Who the kernel kills first when memory runs out: the scores of guaranteed and best-effort pods. */
const OOM_SCORE_GUARANTEED = -997
const OOM_SCORE_BEST_EFFORT = 1000

export interface ContainerSpecInput {
  readonly pod: Pod
  readonly container: Container | EphemeralContainer
  readonly attempt: number
  readonly image: ImageStatus
  readonly environment: ReadonlyMap<string, string>
  readonly mounts: readonly Mount[]
  /** The file on this machine that is mounted at the container's terminationMessagePath. */
  readonly terminationLog: string
  readonly memoryCapacityBytes: number
  /** What the container's next instance waits after the exit of this one. */
  readonly restartDelayMs: number
  /** The container whose processes an ephemeral container sees. */
  readonly targetContainerId?: string | undefined
}

export function containerConfig(input: ContainerSpecInput): ContainerConfig {
  const { pod, container, attempt, image, environment, mounts, terminationLog } = input
  const expanded = (words: readonly string[] | undefined) =>
    words?.length ? words.map((word) => expand(word, (name) => environment.get(name))) : undefined
  return {
    name: container.name,
    attempt,
    image: container.image ?? '',
    imageId: image.id,
    command: expanded(container.command),
    args: expanded(container.args),
    workingDirectory: container.workingDir,
    environment: [...environment],
    mounts,
    stdin: container.stdin ?? false,
    stdinOnce: container.stdinOnce ?? false,
    tty: container.tty ?? false,
    resources: containerResources(pod, container, input.memoryCapacityBytes),
    security: containerSecurity(pod, container, image),
    stopSignal: container.lifecycle?.stopSignal,
    processNamespaceOf: input.targetContainerId,
    annotations: {
      hash: specHash(container),
      terminationLog,
      [RESTART_DELAY]: String(input.restartDelayMs),
      [RESOURCES]: JSON.stringify(container.resources ?? {}),
    },
  }
}

export function containerResources(
  pod: Pod,
  { resources }: Container | EphemeralContainer,
  memoryCapacityBytes: number,
): ContainerResources {
  const { requests = {}, limits = {} } = resources ?? {}
  const cpuRequest = requests.cpu ?? limits.cpu
  const shares = cpuRequest === undefined ? 0 : Math.floor((milliValue(cpuRequest) * SHARES_PER_CPU) / 1000)
  const quotaUs = limits.cpu === undefined ? 0 : (milliValue(limits.cpu) * PERIOD_US) / 1000
  const memory = limits.memory === undefined ? 0 : toNumber(limits.memory)
  return {
    cpuShares: Math.max(SHARES_MIN, shares),
    cpuQuotaUs: quotaUs === 0 ? undefined : Math.max(QUOTA_US_MIN, Math.round(quotaUs)),
    memoryLimitBytes: memory === 0 ? undefined : memory,
    oomScoreAdjust: oomScore(pod, toNumber(requests.memory ?? limits.memory ?? '0'), memoryCapacityBytes),
  }
}

/** Guaranteed pods go last, best effort first, others by the share of memory they asked for. */
function oomScore(pod: Pod, memoryRequestBytes: number, capacityBytes: number): number {
  const qualityOfService = podQosClass(pod)
  if (qualityOfService === 'Guaranteed') return OOM_SCORE_GUARANTEED
  if (qualityOfService === 'BestEffort') return OOM_SCORE_BEST_EFFORT
  const score = Math.floor(1000 - (1000 * memoryRequestBytes) / capacityBytes)
  return Math.min(OOM_SCORE_BEST_EFFORT - 1, Math.max(1000 + OOM_SCORE_GUARANTEED, score))
}

function containerSecurity(pod: Pod, container: Container | EphemeralContainer, image: ImageStatus): ContainerSecurity {
  const own: SecurityContext = container.securityContext ?? {}
  const shared = pod.spec?.securityContext ?? {}
  const user = own.runAsUser ?? shared.runAsUser
  if (own.runAsNonRoot ?? shared.runAsNonRoot) checkNonRoot(pod, container, user, image)
  const privileged = own.privileged ?? false
  return {
    user,
    group: own.runAsGroup ?? shared.runAsGroup,
    supplementalGroups: [
      ...(shared.fsGroup === undefined ? [] : [shared.fsGroup]),
      ...(shared.supplementalGroups ?? []),
    ],
    privileged,
    noNewPrivileges: own.allowPrivilegeEscalation === false && !privileged,
    addCapabilities: own.capabilities?.add ?? [],
    dropCapabilities: own.capabilities?.drop ?? [],
    readOnlyRootFilesystem: own.readOnlyRootFilesystem ?? false,
    seccomp: seccompOf(own.seccompProfile ?? shared.seccompProfile),
    unmaskedProc: own.procMount === 'Unmasked',
  }
}

function seccompOf(profile: SecurityContext['seccompProfile']): ContainerSecurity['seccomp'] {
  if (profile?.type === 'Unconfined') return 'unconfined'
  if (profile?.type === 'Localhost') return { localhostProfile: profile.localhostProfile ?? '' }
  return 'runtime-default'
}

function checkNonRoot(
  { metadata }: Pod,
  { name }: Container | EphemeralContainer,
  user: number | undefined,
  image: ImageStatus,
): void {
  if (user !== undefined && user !== 0) return
  const where = `(pod: "${metadata.name}_${metadata.namespace}(${metadata.uid})", container: ${name})`
  const failed = (message: string) => new RuntimeError('CreateContainerConfigError', `${message} ${where}`)
  if (user === 0) throw failed("container's runAsUser breaks non-root policy")
  if (image.user.name) {
    const text = `container has runAsNonRoot and image has non-numeric user (${image.user.name})`
    throw failed(`${text}, cannot verify user is non-root`)
  }
  if ((image.user.uid ?? 0) === 0) throw failed('container has runAsNonRoot and image will run as root')
}
