/** The custom resource of the clients' stories as this library sees it: a plain object. */

import type { CustomObjectsApi, KubernetesObject, V1Condition } from '@kubernetes/client-node'
import { PatchStrategy, setHeaderOptions } from '@kubernetes/client-node'

export interface Widget extends KubernetesObject {
  readonly spec: { readonly size: number; readonly message: string }
  readonly status?: WidgetStatus
}

export interface WidgetStatus {
  readonly phase?: string
  readonly parts?: number
  readonly observedGeneration?: number
  readonly conditions?: readonly V1Condition[]
}

export const WIDGETS = { group: 'clients.example.com', version: 'v1', plural: 'widgets' }
export const WIDGET_API = `${WIDGETS.group}/${WIDGETS.version}`
export const FINALIZER = 'clients.example.com/cleanup'

/** Where the finalizer leaves a word for each widget. */
export const CLEANUP = 'cleanup'

export function nameOf({ metadata }: KubernetesObject): string {
  return metadata?.name ?? ''
}

export interface WidgetPatch {
  readonly namespace: string
  readonly name: string
  readonly body: object
}

export async function patchWidget(api: CustomObjectsApi, patch: WidgetPatch): Promise<void> {
  await api.patchNamespacedCustomObject({ ...WIDGETS, ...patch }, MERGE)
}

export async function patchWidgetStatus(api: CustomObjectsApi, patch: WidgetPatch): Promise<void> {
  await api.patchNamespacedCustomObjectStatus({ ...WIDGETS, ...patch }, MERGE)
}

export const MERGE = setHeaderOptions('Content-Type', PatchStrategy.MergePatch)
