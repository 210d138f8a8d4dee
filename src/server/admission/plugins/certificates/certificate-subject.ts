/** CertificateSubjectRestriction: nobody becomes a superuser by a certificate of the API server's client signer. */

import { parseSigningRequest } from '../../../../apis/certificates/request-contents.ts'
import type { CertificateSigningRequest } from '../../../../apis/certificates/types.gen.ts'
import { forbiddenRequest } from '../../../../machinery/meta/api-error.ts'
import type { AdmissionPlugin } from '../../plugin.ts'

const CLIENT_SIGNER = 'kubernetes.io/kube-apiserver-client'
const SUPERUSERS = 'system:masters'

export function certificateSubjectRestriction(): AdmissionPlugin {
  return {
    name: 'CertificateSubjectRestriction',
    operations: ['CREATE'],
    about: ['certificates.k8s.io/certificatesigningrequests'],
    validate({ definition, subresource, object }) {
      const { group, resource } = definition
      if (group !== 'certificates.k8s.io' || resource !== 'certificatesigningrequests' || subresource !== '') return
      // By its definition the object is of this kind.
      const { metadata, spec } = object as CertificateSigningRequest
      if (spec.signerName !== CLIENT_SIGNER) return
      const contents = parseSigningRequest(spec.request)
      if (!contents?.organizations.includes(SUPERUSERS)) return
      const detail = `use of ${CLIENT_SIGNER} signer with ${SUPERUSERS} group is not allowed`
      throw forbiddenRequest(definition, metadata.name ?? '', detail)
    },
  }
}
