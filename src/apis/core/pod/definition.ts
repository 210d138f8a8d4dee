/** Pods: names, strategy, status endpoint, graceful deletion, field selectors, columns. */

import { type FieldError, FieldPath, forbidden } from '../../../machinery/meta/field-error.ts'
import { formatTime } from '../../../machinery/meta/time.ts'
import { builtinSchema } from '../../builtin-schema.ts'
import { defineResource } from '../../define-resource.ts'
import type { WriteContext } from '../../definition.ts'
import { mapField } from '../../field-defaults.ts'
import { changedSpec } from '../../strategy-parts.ts'
import { podSpecStep, withSharedSpec } from '../shared-pod-spec.ts'
import type { Pod, PodSpec } from '../types.gen.ts'
import { podColumns } from './columns.ts'
import { defaultPod } from './defaults.ts'
import { enabledSpec, withoutDisabledFields, withoutDisabledStatus } from './disabled-fields.ts'
import { withMatchLabelKeys } from './match-label-keys.ts'
import { isPodTerminal, templateSpec } from './pod-status.ts'
import { computeQosClass } from './qos-class.ts'
import { validatePodSpec } from './validate-spec.ts'
import { validatePodStatus } from './validate-status.ts'
import { validatePodUpdate } from './validate-update.ts'
import { podWarnings } from './warnings.ts'

export const pods = defineResource<Pod>({
  group: '',
  version: 'v1',
  kind: 'Pod',
  resource: 'pods',
  shortNames: ['po'],
  categories: ['all'],
  scope: 'Namespaced',
  schema: builtinSchema('core.v1.Pod'),
  share: withSharedSpec,
  default: defaultPod,
  prepareForCreate,
  prepareForUpdate: (pod, previous) => changedSpec(withoutDisabledFields(pod), previous),
  validate: (pod) => specErrors(templateSpec(pod)),
  validateCreate,
  validateUpdate: validatePodUpdate,
  warnings: podWarnings,
  deletion: { returns: 'object', graceSeconds },
  status: { prepareForUpdate: prepareStatus, validateUpdate: validatePodStatus },
  subresources: [
    'attach',
    'binding',
    'ephemeralcontainers',
    'eviction',
    'exec',
    'log',
    'portforward',
    'proxy',
    'resize',
  ],
  resetFields: {
    '': [['status']],
    status: [['spec'], ['metadata', 'deletionTimestamp'], ['metadata', 'ownerReferences']],
  },
  columns: podColumns,
  fields: (pod) => ({
    'spec.nodeName': pod.spec?.nodeName ?? '',
    'spec.restartPolicy': pod.spec?.restartPolicy ?? '',
    'spec.schedulerName': pod.spec?.schedulerName ?? '',
    'spec.serviceAccountName': pod.spec?.serviceAccountName ?? '',
    'spec.hostNetwork': String(pod.spec?.hostNetwork ?? false),
    'status.phase': pod.status?.phase ?? '',
    'status.podIP': pod.status?.podIPs?.[0]?.ip ?? '',
    'status.nominatedNodeName': pod.status?.nominatedNodeName ?? '',
  }),
  fieldLabels: [
    'metadata.name',
    'metadata.namespace',
    'spec.nodeName',
    'spec.restartPolicy',
    'spec.schedulerName',
    'spec.serviceAccountName',
    'spec.hostNetwork',
    'status.phase',
    'status.podIP',
    'status.podIPs',
    'status.nominatedNodeName',
  ],
  fieldAliases: { 'spec.host': 'spec.nodeName' },
})

const specPath = new FieldPath('spec')

/** Specs that break no rule: what an update leaves alone is the very same one, and no rule looks beyond it. */
const validSpecs = new WeakSet<PodSpec>()

function specErrors(spec: PodSpec): readonly FieldError[] {
  if (validSpecs.has(spec)) return []
  const errors = validatePodSpec(spec, specPath)
  // Objects on their way in are frozen all the way down: what is valid stays so.
  if (errors.length === 0 && Object.isFrozen(spec)) validSpecs.add(spec)
  return errors
}

function prepareForCreate(pod: Pod, context: WriteContext): Pod {
  const { metadata } = pod
  const gated = (pod.spec?.schedulingGates ?? []).length > 0
  const qosClass = computeQosClass(templateSpec(pod))
  const prepared: Pod = {
    ...mapField(pod, 'spec', preparedSpec),
    metadata: { ...metadata, generation: 1 },
    status: { phase: 'Pending', qosClass, ...(gated ? { conditions: [gatedCondition(context)] } : {}) },
  }
  return withMatchLabelKeys(prepared)
}

const preparedSpec = podSpecStep((spec) => enabledSpec(withGrace(spec)))

/** Who wants less than no time gets a second. */
function withGrace(spec: PodSpec): PodSpec {
  const { terminationGracePeriodSeconds: seconds = 0 } = spec
  return seconds < 0 ? { ...spec, terminationGracePeriodSeconds: 1 } : spec
}

function validateCreate({ spec }: Pod): readonly FieldError[] {
  const errors: FieldError[] = []
  if ((spec?.ephemeralContainers ?? []).length > 0)
    errors.push(forbidden(specPath.child('ephemeralContainers'), 'cannot be set on create'))
  if (spec?.nodeName && (spec.schedulingGates ?? []).length > 0)
    errors.push(forbidden(specPath.child('nodeName'), 'cannot be set until all schedulingGates have been cleared'))
  return errors
}

function gatedCondition({ nowMs }: WriteContext) {
  return {
    type: 'PodScheduled',
    status: 'False',
    reason: 'SchedulingGated',
    message: 'Scheduling is blocked due to non-empty scheduling gates',
    lastTransitionTime: formatTime(nowMs),
  }
}

/** Nothing runs for a pod without a node or after its end, so nothing needs time to stop. */
function graceSeconds(pod: Pod): number {
  if (!pod.spec?.nodeName || isPodTerminal(pod)) return 0
  const seconds = pod.spec.terminationGracePeriodSeconds ?? 0
  return seconds < 0 ? 1 : seconds
}

function prepareStatus(pod: Pod, previous: Pod): Pod {
  const { ownerReferences, deletionTimestamp } = previous.metadata
  const qosClass = pod.status?.qosClass ?? previous.status?.qosClass
  return {
    ...pod,
    spec: previous.spec,
    metadata: { ...pod.metadata, ownerReferences, deletionTimestamp },
    status: { ...withoutDisabledStatus(pod.status ?? {}), ...(qosClass ? { qosClass } : {}) },
  }
}
