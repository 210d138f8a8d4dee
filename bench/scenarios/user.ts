/** C1, C2 for somebody without all rights: roles are looked up, and flow control lets nobody pass unseen. */

import { configMap, pod } from '../objects.ts'
import { BEST_TUNING, onSides } from '../on-sides.ts'
import { measure, prepared } from './measure.ts'

const PODS = '/api/v1/namespaces/default/pods'
const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps'
const ROLES = '/apis/rbac.authorization.k8s.io/v1/namespaces/default'
const GROUP = 'workers'
const OPERATIONS = { quick: 500, full: 2_000 }
const WORKERS = 10

const role = {
  metadata: { name: GROUP },
  rules: [{ apiGroups: [''], resources: ['pods', 'configmaps'], verbs: ['create', 'get'] }],
}
const binding = {
  metadata: { name: GROUP },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: GROUP },
  subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: GROUP }],
}

export const user = onSides({
  name: 'user',
  about: 'C1, C2: create and get by a user with a role',
  wish: {},
  tunings: BEST_TUNING,
  roundsMax: 3,
  async run(parts) {
    await prepared(parts, { method: 'POST', path: `${ROLES}/roles`, body: JSON.stringify(role) }, 1)
    await prepared(parts, { method: 'POST', path: `${ROLES}/rolebindings`, body: JSON.stringify(binding) }, 1)
    const access = await parts.side.user('worker', [GROUP])
    const asUser = { ...parts, side: { ...parts.side, access } }
    const operations = parts.quick ? OPERATIONS.quick : OPERATIONS.full
    const job = { workers: WORKERS, operations, warmUp: operations / 2 }
    const request = (path: string, body: string) => ({ method: 'POST', path, body }) as const
    const requests = {
      create: [request(PODS, pod('pod-{i}', 'nobody'))],
      map: [request(CONFIG_MAPS, configMap('map-{i}'))],
      get: [{ method: 'GET', path: `${PODS}/pod-7` } as const],
    }
    return {
      [`C1 create Pod as a user, c=${WORKERS}`]: await measure(asUser, { ...job, requests: requests.create }),
      [`C1 create ConfigMap as a user, c=${WORKERS}`]: await measure(asUser, { ...job, requests: requests.map }),
      [`C2 get Pod as a user, c=${WORKERS}`]: await measure(asUser, { ...job, requests: requests.get }),
    }
  },
})
