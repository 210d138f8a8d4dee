/** An operator of Widgets, written with @kubernetes/client-node as its examples do: informers, patches, events. */

import {
  ApiException,
  CoordinationV1Api,
  CoreV1Api,
  CustomObjectsApi,
  type Informer,
  type KubeConfig,
  type KubernetesObject,
  KubernetesObjectApi,
  makeInformer,
  type ObjectCache,
  PatchStrategy,
  type V1Condition,
  type V1ConfigMap,
} from '@kubernetes/client-node'
import { lead } from './leader-election.ts'
import {
  CLEANUP,
  FINALIZER,
  MERGE,
  nameOf,
  patchWidget,
  patchWidgetStatus,
  WIDGET_API,
  WIDGETS,
  type Widget,
} from './widget.ts'
import { WorkQueue } from './work-queue.ts'

const MANAGER = 'widget-operator'
const MANAGED = { 'app.kubernetes.io/managed-by': MANAGER }
const RECONNECT_MS = 500

export interface Place {
  readonly namespace: string
  readonly identity: string
}

/** Runs until the signal; the exit code. */
export async function runOperator(config: KubeConfig, { namespace, identity }: Place): Promise<void> {
  const stopping = new AbortController()
  process.once('SIGTERM', () => stopping.abort())
  const core = config.makeApiClient(CoreV1Api)
  await checkRights(core, namespace)
  const api = config.makeApiClient(CoordinationV1Api)
  const candidate = { api, namespace, name: MANAGER, identity, signal: stopping.signal }
  try {
    await lead(candidate, () => process.exit(1))
  } catch (error) {
    if (stopping.signal.aborted) return
    throw error
  }
  console.log('leading')
  await reconcileAll(config, namespace, stopping.signal)
  console.log('stopped')
}

/** The operator must not see what it need not see. */
async function checkRights(core: CoreV1Api, namespace: string): Promise<void> {
  try {
    await core.listNamespacedSecret({ namespace })
    console.log('secrets can be read')
  } catch (error) {
    if (!(error instanceof ApiException)) throw error
    console.log(`secrets: ${error.code} ${JSON.parse(error.body).reason}`)
  }
}

async function reconcileAll(config: KubeConfig, namespace: string, signal: AbortSignal): Promise<void> {
  const custom = config.makeApiClient(CustomObjectsApi)
  const core = config.makeApiClient(CoreV1Api)
  const widgetsPath = `/apis/${WIDGET_API}/namespaces/${namespace}/widgets`
  const listWidgets = () => custom.listNamespacedCustomObject({ ...WIDGETS, namespace })
  const widgets: Cache<Widget> = makeInformer(config, widgetsPath, listWidgets)
  const labelSelector = `app.kubernetes.io/managed-by=${MANAGER}`
  const configMapsPath = `/api/v1/namespaces/${namespace}/configmaps`
  const listConfigMaps = () => core.listNamespacedConfigMap({ namespace, labelSelector })
  const configMaps: Cache<V1ConfigMap> = makeInformer(config, configMapsPath, listConfigMaps, labelSelector)
  for (const informer of [widgets, configMaps]) restartAfterErrors(informer, signal)
  const reconciler = new Reconciler(config, namespace)
  const queue = new WorkQueue(async (name) => {
    const widget = widgets.get(name, namespace)
    if (widget) await reconciler.reconcile(widget)
  })
  widgets.on('change', (widget) => queue.add(nameOf(widget)))
  configMaps.on('change', ({ metadata }) => {
    for (const owner of metadata?.ownerReferences ?? []) if (owner.controller) queue.add(owner.name)
  })
  await Promise.all([widgets.start(), configMaps.start()])
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
  await Promise.all([widgets.stop(), configMaps.stop()])
  await queue.idle()
}

type Cache<T extends KubernetesObject> = Informer<T> & ObjectCache<T>

/** An informer ends with an error; the library's examples start it again, and it goes on where it stood. */
function restartAfterErrors<T extends KubernetesObject>(informer: Informer<T>, signal: AbortSignal): void {
  informer.on('error', (error) => {
    if (signal.aborted) return
    console.error('watched again', String(error))
    setTimeout(() => !signal.aborted && informer.start(), RECONNECT_MS).unref()
  })
}

class Reconciler {
  readonly #objects: KubernetesObjectApi
  readonly #custom: CustomObjectsApi
  readonly #core: CoreV1Api
  readonly #namespace: string

  constructor(config: KubeConfig, namespace: string) {
    this.#objects = KubernetesObjectApi.makeApiClient(config)
    this.#custom = config.makeApiClient(CustomObjectsApi)
    this.#core = config.makeApiClient(CoreV1Api)
    this.#namespace = namespace
  }

  async reconcile(widget: Widget): Promise<void> {
    const { finalizers = [], deletionTimestamp, resourceVersion } = widget.metadata ?? {}
    const place = { namespace: this.#namespace, name: nameOf(widget) }
    const withFinalizers = (changed: readonly string[]) =>
      patchWidget(this.#custom, { ...place, body: { metadata: { resourceVersion, finalizers: changed } } })
    if (deletionTimestamp) {
      if (!finalizers.includes(FINALIZER)) return
      await this.#cleanUp(widget)
      await withFinalizers(finalizers.filter((finalizer) => finalizer !== FINALIZER))
    } else if (!finalizers.includes(FINALIZER)) {
      // The change comes back as an event.
      await withFinalizers([...finalizers, FINALIZER])
    } else {
      await this.#applyParts(widget)
      await this.#report(widget)
    }
  }

  async #applyParts(widget: Widget): Promise<void> {
    const { size, message } = widget.spec
    const data = Object.fromEntries(Array.from({ length: size }, (_, index) => [`part-${index}`, message]))
    const owner = { apiVersion: WIDGET_API, kind: 'Widget', name: nameOf(widget), uid: widget.metadata?.uid }
    const ownerReferences = [{ ...owner, controller: true, blockOwnerDeletion: true }]
    const metadata = { name: `${nameOf(widget)}-parts`, namespace: this.#namespace, labels: MANAGED, ownerReferences }
    const configMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data } as KubernetesObject
    await this.#objects.patch(configMap, undefined, undefined, MANAGER, true, PatchStrategy.ServerSideApply)
  }

  async #report(widget: Widget): Promise<void> {
    const { size } = widget.spec
    const observedGeneration = widget.metadata?.generation ?? 0
    const { status } = widget
    if (status?.observedGeneration === observedGeneration && status.phase === 'Ready') return
    const ready = status?.conditions?.find(({ type }) => type === 'Ready')
    const lastTransitionTime = ready?.lastTransitionTime ?? new Date()
    const condition = { type: 'Ready', status: 'True', reason: 'Reconciled', message: `${size} parts` }
    const conditions = [{ ...condition, observedGeneration, lastTransitionTime } satisfies V1Condition]
    const body = { status: { phase: 'Ready', parts: size, observedGeneration, conditions } }
    await patchWidgetStatus(this.#custom, { namespace: this.#namespace, name: nameOf(widget), body })
    await this.#record(widget, `${size} parts are there`)
  }

  async #record(widget: Widget, message: string): Promise<void> {
    const now = new Date()
    await this.#core.createNamespacedEvent({
      namespace: this.#namespace,
      body: {
        metadata: { generateName: `${nameOf(widget)}.` },
        involvedObject: {
          apiVersion: WIDGET_API,
          kind: 'Widget',
          name: nameOf(widget),
          namespace: this.#namespace,
          ...(widget.metadata?.uid !== undefined && { uid: widget.metadata.uid }),
        },
        type: 'Normal',
        reason: 'Reconciled',
        message,
        source: { component: MANAGER },
        firstTimestamp: now,
        lastTimestamp: now,
        count: 1,
      },
    })
  }

  async #cleanUp(widget: Widget): Promise<void> {
    const place = { namespace: this.#namespace, name: CLEANUP }
    const body = { data: { [nameOf(widget)]: 'cleaned' } }
    try {
      await this.#core.patchNamespacedConfigMap({ ...place, body }, MERGE)
    } catch (error) {
      if (!(error instanceof ApiException) || error.code !== 404) throw error
      await this.#core.createNamespacedConfigMap({ ...place, body: { metadata: { name: CLEANUP }, ...body } })
    }
  }
}
