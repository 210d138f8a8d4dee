/** DefaultIngressClass: an ingress that names no class gets the one that is marked as the default. */

import { newestClass } from '../../../apis/default-class.ts'
import { ingresses } from '../../../apis/networking/ingress.ts'
import { ingressClasses } from '../../../apis/networking/ingress-class.ts'
import type { Ingress } from '../../../apis/networking/types.gen.ts'
import type { AdmissionPlugin, AdmissionView } from '../plugin.ts'

const IS_DEFAULT = 'ingressclass.kubernetes.io/is-default-class'
/** Names a class, too, as it was before there was a field. */
const CLASS_ANNOTATION = 'kubernetes.io/ingress.class'

export function defaultIngressClass({ view }: { readonly view: AdmissionView }): AdmissionPlugin {
  return {
    name: 'DefaultIngressClass',
    operations: ['CREATE'],
    about: ['networking.k8s.io/ingresses'],
    async mutate({ definition, subresource }, object) {
      const { group, resource } = ingresses
      if (definition.group !== group || definition.resource !== resource || subresource !== '') return object
      // The attributes say that it is an ingress.
      const ingress = object as Ingress
      const annotations = ingress.metadata.annotations ?? {}
      if (typeof ingress.spec?.ingressClassName === 'string' || Object.hasOwn(annotations, CLASS_ANNOTATION))
        return object
      const classes = await view.list(ingressClasses)
      const chosen = newestClass(classes.filter(({ metadata }) => metadata.annotations?.[IS_DEFAULT] === 'true'))
      if (!chosen) return object
      const withClass: Ingress = { ...ingress, spec: { ...ingress.spec, ingressClassName: chosen.metadata.name } }
      return withClass
    },
  }
}
