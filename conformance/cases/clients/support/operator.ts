/** Two replicas of an operator, as processes of their own, with a namespace, credentials and a Role that is enough. */

import type { ClientLanguage } from '../../../clients.ts'
import { type RunningCommand, startCommand } from '../../kubectl/support/command.ts'
import { eventually } from '../../kubectl/support/eventually.ts'
import type { ClientsCluster } from './cluster.ts'
import { certificateIdentity, serviceAccountIdentity } from './identities.ts'
import { MANAGER, roleAndBinding, widgetsIn } from './widgets.ts'

/** A story takes about a minute; an operator that is still there after this is forgotten. */
const OPERATOR_MS_MAX = 600_000

export interface Operator extends AsyncDisposable {
  readonly language: ClientLanguage
  readonly namespace: string
  /** Whom the server takes it for. */
  readonly user: string
  readonly widgets: ReturnType<typeof widgetsIn>
  readonly replicas: ReadonlyMap<string, RunningCommand>
  /** The identity of the replica that leads. */
  leader(): Promise<string>
  /** What replicas said, for people who read why a test failed. */
  said(): string
}

/** Half of the operators have a token, half a certificate. */
const WITH_CERTIFICATE: readonly ClientLanguage[] = ['java', 'go']

export async function startOperator(
  cluster: ClientsCluster,
  language: ClientLanguage,
  [program, ...parameters]: readonly [string, ...string[]],
): Promise<Operator> {
  const namespace = `operator-${language}`
  await cluster.ask({ method: 'POST', path: '/api/v1/namespaces', object: { metadata: { name: namespace } } })
  const {
    name: user,
    user: entry,
    subject,
  } = WITH_CERTIFICATE.includes(language)
    ? await certificateIdentity(cluster, `${language}-operator`)
    : await serviceAccountIdentity(cluster, namespace, MANAGER)
  const group = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}`
  const { role, binding } = roleAndBinding(subject)
  await cluster.ask({ method: 'POST', path: `${group}/roles`, object: role })
  await cluster.ask({ method: 'POST', path: `${group}/rolebindings`, object: binding })
  const kubeconfig = await cluster.kubeconfigOf(language, entry)
  const environment = { PATH: process.env.PATH, HOME: cluster.directory, KUBECONFIG: kubeconfig, NAMESPACE: namespace }
  const replicas = new Map(
    ['one', 'two'].map((replica) => {
      const identity = `${language}-${replica}`
      const env = { ...environment, IDENTITY: identity }
      return [identity, startCommand(program, [...parameters, 'operator'], { env, msMax: OPERATOR_MS_MAX })]
    }),
  )
  const widgets = widgetsIn(cluster, namespace)
  return {
    language,
    namespace,
    user,
    widgets,
    replicas,
    leader: () =>
      eventually(async () => {
        const holder = (await widgets.lease()).spec.holderIdentity
        // Some libraries make the name of a replica longer than it was given.
        const identity = [...replicas.keys()].find((name) => holder?.startsWith(name))
        if (identity === undefined) throw new Error(`the Lease is held by ${holder}`)
        return identity
      }),
    said: () => [...replicas].map(([identity, { stdout, stderr }]) => `${identity}\n${stdout()}\n${stderr()}`).join(''),
    async [Symbol.asyncDispose]() {
      for (const replica of replicas.values()) await replica[Symbol.asyncDispose]()
    },
  }
}
