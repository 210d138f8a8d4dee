/** From a request to a certificate that the API takes: approved by itself for kubelets, by people for people. */

import { X509Certificate } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { certificateSigningRequests } from '../../../src/apis/certificates/certificate-signing-request.ts'
import type { CertificateSigningRequest } from '../../../src/apis/certificates/types.gen.ts'
import { clusterRoles } from '../../../src/apis/rbac/cluster-role.ts'
import { clusterRoleBindings } from '../../../src/apis/rbac/cluster-role-binding.ts'
import { systemClock } from '../../../src/base/clock.ts'
import { silentLogger } from '../../../src/base/log.ts'
import { seededRandom } from '../../../src/base/random.ts'
import type { Client } from '../../../src/client/client.ts'
import { createInformers } from '../../../src/client/informers.ts'
import { controllerIdentities } from '../../../src/cluster/identities.ts'
import { startControllers } from '../../../src/controllers/runtime/manager.ts'
import { certificateApprover } from '../../../src/controllers/security/certificate-approver.ts'
import { certificateSigner } from '../../../src/controllers/security/certificate-signer.ts'
import {
  type CertificateAuthority,
  createCertificateAuthority,
} from '../../../src/server/auth/certificate-authority.ts'
import { nodeRequest, personRequest } from '../../support/certificate-requests.ts'
import { openRbacServer, type RbacServer } from './rbac-server.ts'

const stack = new AsyncDisposableStack()
let server: RbacServer
let authority: CertificateAuthority
beforeAll(async () => {
  server = stack.use(await openRbacServer())
  const parts = { clock: systemClock, random: seededRandom(1), log: silentLogger }
  authority = await createCertificateAuthority('ca', parts)
  const identityOf = controllerIdentities()
  const clientOf = (controller: string) => {
    const { name, groups } = identityOf(controller)
    return server.as(name, ...groups)
  }
  const informers = stack.use(createInformers({ ...parts, client: server.admin }))
  const controllers = [certificateApprover, certificateSigner(authority.sign)]
  stack.use(startControllers(controllers, { ...parts, clientOf, informers }))
  await bind('nodeclient', 'bootstrap')
  await bind('selfnodeclient', 'system:node:n1')
})
afterAll(() => stack.disposeAsync())

async function bind(right: string, user: string): Promise<void> {
  const name = `system:certificates.k8s.io:certificatesigningrequests:${right}`
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name }
  const subjects = [{ kind: 'User', name: user }]
  await server.admin.of(clusterRoleBindings).create({ metadata: { name: right }, roleRef, subjects })
  const asks = [{ verbs: ['create'], apiGroups: ['certificates.k8s.io'], resources: ['certificatesigningrequests'] }]
  await server.admin.of(clusterRoles).create({ metadata: { name: user }, rules: asks })
  const asksRef = { ...roleRef, name: user }
  await server.admin.of(clusterRoleBindings).create({ metadata: { name: user }, roleRef: asksRef, subjects })
}

const CLIENT_KUBELET = 'kubernetes.io/kube-apiserver-client-kubelet'
const usages = ['digital signature', 'client auth'] as const

function ask(client: Client, name: string, spec: Pick<CertificateSigningRequest['spec'], 'request' | 'signerName'>) {
  return client.of(certificateSigningRequests).create({ metadata: { name }, spec: { usages, ...spec } })
}

async function answered(name: string): Promise<CertificateSigningRequest> {
  for (;;) {
    const request = await server.admin.of(certificateSigningRequests).get({ name })
    if (request.status?.certificate || request.status?.conditions?.some(({ type }) => type === 'Failed')) return request
    await systemClock.sleep(10)
  }
}

function certificateOf({ status }: CertificateSigningRequest): X509Certificate {
  return new X509Certificate(Buffer.from(status?.certificate ?? '', 'base64'))
}

test.each([
  ['first', 'bootstrap', 'Auto approving kubelet client certificate after SubjectAccessReview.'],
  ['next', 'system:node:n1', 'Auto approving self kubelet client certificate after SubjectAccessReview.'],
])("a kubelet's %s certificate is approved and signed by itself", async (name, user, message) => {
  await ask(server.as(user), name, { request: await nodeRequest('n1'), signerName: CLIENT_KUBELET })
  const request = await answered(name)
  expect(request.status?.conditions).toMatchObject([{ type: 'Approved', reason: 'AutoApproved', message }])
  const certificate = certificateOf(request)
  expect(certificate.subject).toBe('O=system:nodes\nCN=system:node:n1')
  expect(certificate.checkIssued(new X509Certificate(authority.certificate))).toBe(true)
})

const approve = (client: Client, request: CertificateSigningRequest) =>
  client.of(certificateSigningRequests).update(
    {
      ...request,
      status: { conditions: [{ type: 'Approved', status: 'True', reason: 'Checked', message: 'by hand' }] },
    },
    { subresource: 'approval' },
  )

test('a person is approved by who may approve for the signer', async () => {
  const asked = await ask(server.admin, 'jane', {
    request: await personRequest('jane', ['dev']),
    signerName: 'kubernetes.io/kube-apiserver-client',
  })
  const rules = [
    { verbs: ['update'], apiGroups: ['certificates.k8s.io'], resources: ['certificatesigningrequests/approval'] },
  ]
  await server.admin.of(clusterRoles).create({ metadata: { name: 'approver' }, rules })
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'approver' }
  await server.admin
    .of(clusterRoleBindings)
    .create({ metadata: { name: 'approver' }, roleRef, subjects: [{ kind: 'User', name: 'joe' }] })
  await expect(approve(server.as('joe'), asked)).rejects.toThrow(
    'certificatesigningrequests.certificates.k8s.io "jane" is forbidden: ' +
      'user not permitted to approve requests with signerName "kubernetes.io/kube-apiserver-client"',
  )
  await approve(server.admin, asked)
  expect(certificateOf(await answered('jane')).subject).toBe('O=dev\nCN=jane')
})

test('what does not fit its signer fails', async () => {
  const asked = await ask(server.admin, 'odd', { request: await personRequest('jane'), signerName: CLIENT_KUBELET })
  await approve(server.admin, asked)
  expect((await answered('odd')).status?.conditions).toContainEqual(
    expect.objectContaining({
      type: 'Failed',
      reason: 'SignerValidationFailure',
      message: 'subject organization is not system:nodes',
    }),
  )
})

test('nobody asks to be a superuser, or signs without the right to', async () => {
  const signerName = 'kubernetes.io/kube-apiserver-client'
  await expect(
    ask(server.as('bootstrap'), 'root', { request: await personRequest('root', ['system:masters']), signerName }),
  ).rejects.toThrow('use of kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed')
})
