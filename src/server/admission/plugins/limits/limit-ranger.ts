/**
 * LimitRanger: containers get the requests and limits that the namespace's limit ranges give to those who say
 * nothing; pods, containers and claims that ask for less or more than the ranges allow are refused.
 */

import { limitRanges } from '../../../../apis/core/limit-range.ts'
import type { LimitRange, PersistentVolumeClaim, Pod } from '../../../../apis/core/types.gen.ts'
import { whenThere } from '../../../../base/awaitable.ts'
import type { KubeObject } from '../../../../machinery/meta/object.ts'
import type { AdmissionAttributes } from '../../../registry/admission-hooks.ts'
import type { AdmissionPlugin, AdmissionView } from '../../plugin.ts'
import { reasonsText, refused } from '../../refusal.ts'
import { claimViolations, podViolations } from './constraints.ts'
import { containerDefaults } from './container-defaults.ts'

export function limitRanger({ view }: { readonly view: AdmissionView }): AdmissionPlugin {
  const withDefaults = containerDefaults()
  return {
    name: 'LimitRanger',
    operations: ['CREATE', 'UPDATE'],
    about: ['/pods', '/persistentvolumeclaims'],
    mutate(attributes, object) {
      if (subjectOf(attributes) !== 'pods') return object
      // The attributes say that it is a pod.
      return whenThere(view.list(limitRanges, attributes.namespace), (ranges) => withDefaults(object as Pod, ranges))
    },
    validate(attributes) {
      const subject = subjectOf(attributes)
      const { object } = attributes
      if (subject === undefined || !object) return undefined
      return whenThere(view.list(limitRanges, attributes.namespace), (ranges) => {
        for (const range of ranges) {
          const violations = violationsOf(subject, object, range)
          if (violations.length > 0) throw refused(attributes, reasonsText(violations))
        }
      })
    },
  }
}

/** Containers of a pod change with a resize only; what is on its way out is let be. */
function subjectOf(attributes: AdmissionAttributes): 'pods' | 'persistentvolumeclaims' | undefined {
  const { definition, subresource, operation, previous } = attributes
  if (definition.group !== '' || previous?.metadata.deletionTimestamp) return undefined
  if (definition.resource === 'pods')
    return subresource === (operation === 'CREATE' ? '' : 'resize') ? 'pods' : undefined
  return definition.resource === 'persistentvolumeclaims' && subresource === '' ? 'persistentvolumeclaims' : undefined
}

function violationsOf(
  subject: 'pods' | 'persistentvolumeclaims',
  object: KubeObject,
  range: LimitRange,
): readonly string[] {
  const limits = range.spec?.limits ?? []
  // The subject is named after the object's resource.
  if (subject === 'pods') return podViolations(object as Pod, limits)
  return claimViolations(object as PersistentVolumeClaim, limits)
}
