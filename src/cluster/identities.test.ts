import { expect, test } from 'vitest'
import { builtinControllers } from '../controllers/builtin.ts'
import { CONTROLLER_MANAGER, controllerIdentities, nodeIdentity, SCHEDULER, SYSTEM, userAgentOf } from './identities.ts'

const controllers = builtinControllers({
  ...{ podCidr: '10.244.0.0/16', serviceCidr: '10.96.0.0/16', nodePrefixLength: 24, rootCa: '' },
  ...{
    signCertificate: async () => '',
    namesOfNode: () => undefined,
    issueToken: async () => '',
    frontProxyCa: async () => '',
    checkApiService: async () => {},
  },
})
const identityOf = controllerIdentities()

test('only what upstream runs in its API server may do everything', () => {
  const all = controllers.filter(({ name }) => identityOf(name).groups.includes('system:masters'))
  expect(new Set(all.map(({ name }) => name))).toEqual(
    new Set([
      'apiservice-status-available-controller',
      'autoregister',
      'cluster-authentication-trust-controller',
      'ip-address-controller',
      'priority-and-fairness-config-consumer',
    ]),
  )
})

test.each([
  ['deployment-controller', 'system:serviceaccount:kube-system:deployment-controller'],
  ['garbage-collector-controller', 'system:serviceaccount:kube-system:generic-garbage-collector'],
  ['node-ipam-controller', 'system:serviceaccount:kube-system:node-controller'],
  ['serviceaccount-token-controller', 'system:kube-controller-manager'],
])('%s is %s', (controller, user) => expect(identityOf(controller).name).toBe(user))

test('a service account and a node are in their groups', () => {
  expect(identityOf('job-controller').groups).toEqual([
    'system:serviceaccounts',
    'system:serviceaccounts:kube-system',
    'system:authenticated',
  ])
  expect(nodeIdentity('n1')).toEqual({ name: 'system:node:n1', groups: ['system:nodes', 'system:authenticated'] })
})

test.each([
  ['kube-apiserver', SYSTEM],
  ['kube-controller-manager', CONTROLLER_MANAGER],
  ['kube-controller-manager', identityOf('deployment-controller')],
  ['kube-scheduler', SCHEDULER],
  ['kubelet', nodeIdentity('n1')],
])('a part of %s says so', (program, user) => {
  expect(userAgentOf(user)).toMatch(new RegExp(`^${program}/v1\\.\\d+\\.\\d+ t8s/${user.name}$`))
})
