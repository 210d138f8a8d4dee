/**
 * Objects live in namespaces that exist: nothing is created in one that is missing or on its way out, and the
 * namespaces that the cluster stands on are not deleted.
 */

import { namespaces } from '../../../apis/core/namespace.ts'
import { type Awaitable, whenThere } from '../../../base/awaitable.ts'
import { ApiError, forbiddenRequest, notFound } from '../../../machinery/meta/api-error.ts'
import type { AdmissionAttributes } from '../../registry/admission-hooks.ts'
import type { AdmissionPlugin, AdmissionView } from '../plugin.ts'

const IMMORTAL: ReadonlySet<string> = new Set(['default', 'kube-system', 'kube-public'])

/** Reviews answer questions about a namespace and are stored nowhere. */
const REVIEWS: ReadonlySet<string> = new Set(['localsubjectaccessreviews'])

export function namespaceLifecycle({ view }: { readonly view: AdmissionView }): AdmissionPlugin {
  return {
    name: 'NamespaceLifecycle',
    operations: ['CREATE', 'UPDATE', 'DELETE'],
    mutate: (attributes, object) => whenThere(check(view, attributes), () => object),
    validate: (attributes) => (attributes.operation === 'DELETE' ? check(view, attributes) : undefined),
  }
}

function check(
  view: AdmissionView,
  { operation, definition, subresource, namespace, name }: AdmissionAttributes,
): Awaitable<void> {
  const isNamespace = definition.group === '' && definition.resource === 'namespaces'
  if (operation === 'DELETE' && isNamespace && IMMORTAL.has(name))
    throw forbiddenRequest(definition, name, 'this namespace may not be deleted')
  if (
    operation !== 'CREATE' ||
    subresource !== '' ||
    namespace === '' ||
    isNamespace ||
    REVIEWS.has(definition.resource)
  )
    return undefined
  return whenThere(view.get(namespaces, { name: namespace }), (found) => {
    if (!found) throw notFound(namespaces, namespace)
    if (found.status?.phase === 'Terminating' || found.metadata.deletionTimestamp)
      throw terminating(definition, name, namespace)
  })
}

function terminating(resource: AdmissionAttributes['definition'], name: string, namespace: string): ApiError {
  const detail = `unable to create new content in namespace ${namespace} because it is being terminated`
  const { code, reason, message, status } = forbiddenRequest(resource, name, detail)
  const cause = {
    reason: 'NamespaceTerminating',
    message: `namespace ${namespace} is being terminated`,
    field: 'metadata.namespace',
  }
  return new ApiError(code, reason, message, { ...status.details, causes: [cause] })
}
