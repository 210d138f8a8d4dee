/** APIServices: who serves a version of a group: this server, or another one behind a Service. */

import { findCondition } from '../../machinery/meta/conditions.ts'
import { type FieldError, FieldPath, invalidValue, notSupported, required } from '../../machinery/meta/field-error.ts'
import { isDns1035Label, isPathSegmentName, isValidPortNumber, nameIsPathSegment } from '../../machinery/meta/names.ts'
import { formatTime } from '../../machinery/meta/time.ts'
import { metadataPath } from '../../machinery/meta/validate-meta.ts'
import { builtinSchema } from '../builtin-schema.ts'
import { ageColumn, nameColumn, textColumn } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import type { WriteContext } from '../definition.ts'
import { mapField, withAbsent } from '../field-defaults.ts'
import { dnsSubdomainErrors, findingErrors } from '../field-rules.ts'
import { keepStatus, statusOnly, withoutStatus } from '../strategy-parts.ts'
import type { APIService, APIServiceSpec, ServiceReference } from './types.gen.ts'

const PORT = 443
const GROUP_PRIORITY_MAX = 20_000
const VERSION_PRIORITY_MAX = 1000
const STATUSES = ['True', 'False', 'Unknown']
/** The condition that tells whether a group version answers. */
export const AVAILABLE = 'Available'
const specPath = new FieldPath('spec')

export const apiServices = defineResource<APIService>({
  group: 'apiregistration.k8s.io',
  version: 'v1',
  kind: 'APIService',
  resource: 'apiservices',
  categories: ['api-extensions'],
  scope: 'Cluster',
  schema: builtinSchema('apiregistration.v1.APIService'),
  nameRule: nameIsPathSegment,
  default: (object) => ({ ...object, spec: defaultSpec(object.spec) }),
  prepareForCreate,
  prepareForUpdate: keepStatus,
  validate: validateApiService,
  unconditionalUpdate: false,
  status: { prepareForUpdate: statusOnly, validateUpdate: validateStatus },
  resetFields: { '': [['status']], status: [['spec'], ['metadata']] },
  columns: [nameColumn, textColumn('Service', serviceText), textColumn('Available', availableText), ageColumn],
})

function defaultSpec(spec: APIServiceSpec | undefined): APIServiceSpec {
  const complete = spec ?? { groupPriorityMinimum: 0, versionPriority: 0 }
  return mapField(complete, 'service', (service) => withAbsent(service, { port: PORT }))
}

/** What this server serves itself is there at once. */
function prepareForCreate(object: APIService, { nowMs }: WriteContext): APIService {
  const fresh = withoutStatus(object)
  if (fresh.spec.service !== undefined) return fresh
  const local = {
    type: AVAILABLE,
    status: 'True',
    lastTransitionTime: formatTime(nowMs),
    reason: 'Local',
    message: 'Local APIServices are always available',
  }
  return { ...fresh, status: { conditions: [local] } }
}

function serviceText({ spec: { service } }: APIService): string {
  return service === undefined ? 'Local' : `${service.namespace ?? ''}/${service.name ?? ''}`
}

function availableText({ status }: APIService): string {
  const condition = findCondition(status?.conditions, AVAILABLE)
  if (condition === undefined) return 'Unknown'
  return condition.status === 'True' || !condition.reason
    ? condition.status
    : `${condition.status} (${condition.reason})`
}

function validateApiService({ metadata: { name = '' }, spec }: APIService): readonly FieldError[] {
  const { group = '', version = '', groupPriorityMinimum: minimum = 0, versionPriority: priority = 0 } = spec
  const requiredName = `${version}.${group}`
  const groupPath = specPath.child('group')
  return [
    ...(name === '' || name === requiredName || isPathSegmentName(name).length > 0
      ? []
      : [invalidValue(metadataPath.child('name'), name, wrongName(requiredName))]),
    ...(group === '' && version !== 'v1'
      ? [required(groupPath, 'only v1 may have an empty group and it better be legacy kube')]
      : []),
    ...(group === '' ? [] : dnsSubdomainErrors(groupPath, group)),
    ...findingErrors(specPath.child('version'), version, isDns1035Label(version)),
    ...priorityErrors(specPath.child('groupPriorityMinimum'), minimum, GROUP_PRIORITY_MAX),
    ...priorityErrors(specPath.child('versionPriority'), priority, VERSION_PRIORITY_MAX),
    ...(spec.service === undefined ? localErrors(spec) : remoteErrors(spec, spec.service)),
  ]
}

function wrongName(requiredName: string): string {
  return `must be \`spec.version+"."+spec.group\`: ${JSON.stringify(requiredName)}`
}

function priorityErrors(path: FieldPath, priority: number, max: number): readonly FieldError[] {
  if (priority > 0 && priority <= max) return []
  return [invalidValue(path, priority, `must be positive and less than ${max}`)]
}

function localErrors({
  caBundle = '',
  insecureSkipTLSVerify: insecure = false,
}: APIServiceSpec): readonly FieldError[] {
  const bytes = Buffer.from(caBundle, 'base64').length
  return [
    ...(bytes > 0
      ? [invalidValue(specPath.child('caBundle'), `${bytes} bytes`, 'local APIServices may not have a caBundle')]
      : []),
    ...(insecure
      ? [
          invalidValue(
            specPath.child('insecureSkipTLSVerify'),
            insecure,
            'local APIServices may not have insecureSkipTLSVerify',
          ),
        ]
      : []),
  ]
}

function remoteErrors(spec: APIServiceSpec, service: ServiceReference): readonly FieldError[] {
  const path = specPath.child('service')
  const { insecureSkipTLSVerify: insecure = false, caBundle } = spec
  const { port = PORT } = service
  const portFindings = isValidPortNumber(port)
  return [
    ...(service.namespace ? [] : [required(path.child('namespace'))]),
    ...(service.name ? [] : [required(path.child('name'))]),
    ...(portFindings.length === 0
      ? []
      : [invalidValue(path.child('port'), port, `port is not valid: ${portFindings.join(', ')}`)]),
    ...(insecure && caBundle
      ? [invalidValue(specPath.child('insecureSkipTLSVerify'), insecure, 'may not be true if caBundle is present')]
      : []),
  ]
}

function validateStatus({ status }: APIService): readonly FieldError[] {
  return (status?.conditions ?? []).flatMap((condition, index) => {
    if (STATUSES.includes(condition.status)) return []
    const path = new FieldPath('status').child('conditions').index(index).child('status')
    return [notSupported(path, condition.status ?? '', STATUSES)]
  })
}
