/** Volumes whose files come from the API: ConfigMap, Secret, downward API, tokens, and projections of all of them. */

import type { ConfigMap, Pod, Secret, Volume, VolumeProjection } from '../../apis/core/types.gen.ts'
import type { VolumeFile, VolumeFiles } from './atomic-writer.ts'
import { configMapFiles, DEFAULT_MODE, type KeySelection } from './config-map.ts'
import { type DownwardFacts, downwardFiles } from './downward-api.ts'
import { commonUser } from './ownership.ts'
import { secretFiles } from './secret.ts'
import type { TokenSource } from './token-source.ts'
import { VolumeError } from './volume.ts'

export interface FileSources extends DownwardFacts {
  configMap(namespace: string, name: string): ConfigMap | undefined
  secret(namespace: string, name: string): Secret | undefined
  readonly tokens: TokenSource
}

/** The files of a volume; undefined when it is of another kind. */
export async function filesOf(volume: Volume, pod: Pod, sources: FileSources): Promise<VolumeFiles | undefined> {
  const { configMap, secret, downwardAPI, projected } = volume
  if (configMap) return ofConfigMap(configMap.name ?? '', configMap, pod, sources)
  if (secret) return ofSecret(secret.secretName ?? '', secret, pod, sources)
  if (downwardAPI) return downwardFiles(downwardAPI.items ?? [], downwardAPI.defaultMode, pod, sources)
  if (!projected) return undefined
  const files = new Map<string, VolumeFile>()
  for (const source of projected.sources ?? []) {
    for (const [path, file] of await ofProjection(source, projected.defaultMode ?? DEFAULT_MODE, pod, sources))
      files.set(path, file)
  }
  return files
}

async function ofProjection(
  source: VolumeProjection,
  defaultMode: number,
  pod: Pod,
  sources: FileSources,
): Promise<VolumeFiles> {
  const { configMap, secret, downwardAPI, serviceAccountToken } = source
  if (configMap) return ofConfigMap(configMap.name ?? '', { ...configMap, defaultMode }, pod, sources)
  if (secret) return ofSecret(secret.name ?? '', { ...secret, defaultMode }, pod, sources)
  if (downwardAPI) return downwardFiles(downwardAPI.items ?? [], defaultMode, pod, sources)
  if (!serviceAccountToken) return new Map()
  const { path, audience = '', expirationSeconds = 3600 } = serviceAccountToken
  const token = await sources.tokens.token(pod, audience, expirationSeconds)
  return new Map([[path, { data: Buffer.from(token), mode: tokenMode(pod, defaultMode) }]])
}

/** Readable by the pod's group or its one user where there is one, as the volume says otherwise. */
function tokenMode(pod: Pod, defaultMode: number): number {
  return pod.spec?.securityContext?.fsGroup === undefined && commonUser(pod) === undefined ? defaultMode : 0o600
}

function ofConfigMap(
  name: string,
  selection: KeySelection,
  { metadata }: Pod,
  { configMap }: FileSources,
): VolumeFiles {
  const found = configMap(metadata.namespace ?? '', name)
  if (found) return configMapFiles(found, selection)
  if (selection.optional) return new Map()
  throw new VolumeError(`configmap "${name}" not found`)
}

function ofSecret(name: string, selection: KeySelection, { metadata }: Pod, { secret }: FileSources): VolumeFiles {
  const found = secret(metadata.namespace ?? '', name)
  if (found) return secretFiles(found, selection)
  if (selection.optional) return new Map()
  throw new VolumeError(`secret "${name}" not found`)
}
