/** CertificateApproval and CertificateSigning: only who may approve, or sign, for a signer answers its requests. */

import type { CertificateSigningRequest } from '../../../../apis/certificates/types.gen.ts'
import { deepEqual } from '../../../../base/deep-equal.ts'
import { forbiddenRequest } from '../../../../machinery/meta/api-error.ts'
import type { Authorization } from '../../../auth/authorization.ts'
import type { AdmissionAttributes } from '../../../registry/admission-hooks.ts'
import type { AdmissionPlugin } from '../../plugin.ts'

interface Parts {
  readonly authorization: Authorization
}

export function certificateApproval(parts: Parts): AdmissionPlugin {
  return {
    name: 'CertificateApproval',
    operations: ['UPDATE'],
    about: ['certificates.k8s.io/certificatesigningrequests'],
    async validate(attributes) {
      if (isAbout(attributes, 'approval')) await demandSigner(parts, attributes, 'approve')
    },
  }
}

export function certificateSigning(parts: Parts): AdmissionPlugin {
  return {
    name: 'CertificateSigning',
    operations: ['UPDATE'],
    about: ['certificates.k8s.io/certificatesigningrequests'],
    async validate(attributes) {
      if (!isAbout(attributes, 'status')) return
      const [now, before] = [attributes.object, attributes.previous].map(statusOf)
      const same = now?.certificate === before?.certificate && deepEqual(now?.conditions, before?.conditions)
      if (!same) await demandSigner(parts, attributes, 'sign')
    },
  }
}

function isAbout({ definition, subresource }: AdmissionAttributes, wanted: string): boolean {
  const { group, resource } = definition
  return group === 'certificates.k8s.io' && resource === 'certificatesigningrequests' && subresource === wanted
}

/** The resource is certificate signing requests. */
function statusOf(object: AdmissionAttributes['object']): CertificateSigningRequest['status'] {
  return (object as CertificateSigningRequest | undefined)?.status
}

/** By the request as it was: nobody gains by writing another signer into it. */
async function demandSigner(
  { authorization }: Parts,
  { user, definition, name, previous }: AdmissionAttributes,
  verb: 'approve' | 'sign',
): Promise<void> {
  const { signerName } = (previous as CertificateSigningRequest).spec
  const place = { group: definition.group, resource: 'signers', subresource: '', namespace: '', path: '' }
  const all = `${signerName.slice(0, signerName.indexOf('/'))}/*`
  for (const signer of [signerName, all]) {
    const { verdict } = await authorization.authorizer.authorize({ user, verb, ...place, name: signer })
    if (verdict === 'allow') return
  }
  const detail = `user not permitted to ${verb} requests with signerName ${JSON.stringify(signerName)}`
  throw forbiddenRequest(definition, name, detail)
}
