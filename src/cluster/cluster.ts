/** A whole cluster in this process: the one place that knows all parts. */

import { mkdir } from 'node:fs/promises'
import { pods } from '../apis/core/pod/definition.ts'
import { createEventLane } from '../client/event-lane.ts'
import { createEventRecorder } from '../client/events.ts'
import { createInformers } from '../client/informers.ts'
import { builtinControllers } from '../controllers/builtin.ts'
import { startControllers } from '../controllers/runtime/manager.ts'
import type { ObjectKey } from '../machinery/meta/object.ts'
import { startScheduler } from '../scheduler/scheduler.ts'
import { issueLegacyToken } from '../server/auth/legacy-token.ts'
import type { PathHandler } from '../server/server.ts'
import { bootstrap, publishApiEndpoints } from './bootstrap.ts'
import type { ClusterConfig } from './config.ts'
import { controlPaths } from './control-paths.ts'
import { type ControlPlane, startControlPlane } from './control-plane.ts'
import type { ServiceNetwork, ServiceNetworkParts } from './docker/services.ts'
import type { Environment } from './environment.ts'
import { keepFlowObjects } from './flow-objects.ts'
import { CONTROLLER_MANAGER, controllerIdentities, SCHEDULER, SYSTEM } from './identities.ts'
import { type NodeEntry, openNodeList } from './node-list.ts'
import { type NodeSupervisor, superviseNodes } from './nodes.ts'
import { createKeyRotation } from './security/key-rotation.ts'

export interface Cluster extends AsyncDisposable {
  readonly config: ClusterConfig
  readonly controlPlane: ControlPlane
  readonly nodes: NodeSupervisor
  /** Resolves when every node that was asked for has reported Ready. */
  readonly ready: Promise<void>
}

const atOnce = (): Promise<void> => Promise.resolve()

/**
 * Resolves when the API answers and the controllers run; the nodes come after, see `ready`. `pause`: between the moment when
 * the server listens and that when the parts of this process begin to ask it.
 */
export async function createCluster(config: ClusterConfig, environment: Environment, pause = atOnce): Promise<Cluster> {
  const { clock, random, log } = environment
  await mkdir(config.directory, { recursive: true, mode: 0o700 })
  await using stack = new AsyncDisposableStack()
  const late: { supervisor?: NodeSupervisor; paths?: PathHandler } = {}
  const controlPlane = stack.use(
    await startControlPlane({
      config,
      environment,
      dialNode: (name) => late.supervisor?.running.get(name),
      checks: [],
      paths: [{ handle: (request) => late.paths?.handle(request) }],
    }),
  )
  const system = controlPlane.clientAs(SYSTEM)
  await pause()
  await bootstrap(system, config, controlPlane.isNew)
  const stopping = new AbortController()
  stack.defer(() => stopping.abort())
  keepFlowObjects(system, environment, stopping.signal)
  const informers = stack.use(
    createInformers({ client: controlPlane.clientAs(CONTROLLER_MANAGER), clock, random, log }),
  )
  const controllers = builtinControllers({
    ...config,
    rootCa: controlPlane.authority.bundle,
    signCertificate: controlPlane.authority.sign,
    namesOfNode: (name) => late.supervisor?.running.get(name)?.names,
    frontProxyCa: async () => (await controlPlane.frontProxy()).authority,
    checkApiService: controlPlane.server.aggregation.check,
    issueToken: (subject) => issueLegacyToken(controlPlane.tokenKeys, subject),
  })
  const identityOf = controllerIdentities()
  const clientOf = (controller: string) => controlPlane.clientAs(identityOf(controller))
  const lane = createEventLane()
  stack.use(startControllers(controllers, { clientOf, informers, lane, clock, random, log }))
  const schedulerClient = controlPlane.clientAs(SCHEDULER)
  const events = createEventRecorder({ client: schedulerClient, lane, clock, log, component: 'default-scheduler' })
  const scheduler = stack.use(startScheduler({ client: schedulerClient, informers, events, clock, random, log }))
  const services = stack.use(lateServiceNetwork({ config, environment, informers, client: system, clientOf }))
  const supervisor = stack.use(
    superviseNodes({
      config,
      environment,
      informers,
      controlPlane,
      services: services.made,
      lane,
      onNetwork: async (gateway) => {
        await controlPlane.listenOn(gateway)
        await publishApiEndpoints(system, { address: gateway, port: controlPlane.port })
        await (await services.made()).open(gateway)
      },
    }),
  )
  late.supervisor = supervisor
  const nodeList = await openNodeList(config)
  const onDocker = nodeList.entries.some(({ runtime }) => runtime === 'docker')
  // Without a network of nodes there is no address on it: then the machine's, which upstream advertises by default.
  if (!onDocker && environment.address !== undefined)
    await publishApiEndpoints(system, { address: environment.address, port: controlPlane.port })
  const podInformer = informers.of(pods)
  const rotateKey = createKeyRotation(controlPlane.encryptionKeys, system)
  const podOf = (key: ObjectKey) => podInformer.get(key)
  late.paths = controlPaths({ config, clock, supervisor, nodeList, scheduler, podOf, rotateKey })
  const ready = startNodes(nodeList.entries, supervisor)
  ready.catch((error: unknown) => log.error('the nodes could not be started', { error: String(error) }))
  const owned = stack.move()
  return { config, controlPlane, nodes: supervisor, ready, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

/** Loaded and made when it is first asked for: simulated nodes need none. */
function lateServiceNetwork(parts: ServiceNetworkParts) {
  let network: Promise<ServiceNetwork> | undefined
  const make = async () => (await import('./docker/services.ts')).createServiceNetwork(parts)
  return {
    made: () => {
      network ??= make()
      return network
    },
    [Symbol.asyncDispose]: async () => (await network)?.[Symbol.asyncDispose](),
  }
}

async function startNodes(entries: readonly NodeEntry[], supervisor: NodeSupervisor): Promise<void> {
  const started = await Promise.all(entries.map(({ name, runtime }) => supervisor.start(name, runtime)))
  await Promise.all(started.map((node) => node.ready))
}
