/** Both Helms, built from the releases that are pinned here: the one that merges three ways, and the one that applies. */

import { join } from 'node:path'
import { type BuildOptions, buildMissing, type GoBuild, programFolder } from './go-build.ts'

export interface HelmBinary {
  readonly major: 3 | 4
  /** Such as `v4.3.1`. */
  readonly version: string
  readonly path: string
}

interface Release {
  readonly major: 3 | 4
  readonly version: string
  /** Variables of the program that its release scripts set. */
  readonly variables: Readonly<Record<string, string>>
}

/** Helm 3 is told which Kubernetes its client libraries are of; Helm 4 reads it from itself. */
const KUBERNETES_OF_HELM_3 = { k8sVersionMajor: '1', k8sVersionMinor: '37' }

const HELM_3: Release = {
  major: 3,
  version: 'v3.22.0',
  variables: {
    ...inPackage('pkg/lint/rules', KUBERNETES_OF_HELM_3),
    ...inPackage('pkg/chartutil', KUBERNETES_OF_HELM_3),
  },
}
const HELM_4: Release = { major: 4, version: 'v4.3.1', variables: {} }

/** Oldest first. They are there once `buildHelms` said nothing. */
export const HELMS: readonly [HelmBinary, HelmBinary] = [binaryOf(HELM_3), binaryOf(HELM_4)]

/** Sees to it that both are there; builds what is missing, one after the other. Why they cannot be had here, if so. */
export async function buildHelms(options: BuildOptions): Promise<string | undefined> {
  try {
    await buildMissing([HELM_3, HELM_4].map(buildOf), options)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

function binaryOf(release: Release): HelmBinary {
  return { major: release.major, version: release.version, path: pathOf(release) }
}

function buildOf(release: Release): GoBuild {
  const { version } = release
  const source = `${moduleOf(release)}/cmd/helm@${version}`
  const flags = flagsOf(release)
  return {
    title: `Helm ${version}`,
    path: pathOf(release),
    key: `${source} ${flags}`,
    // Of no module: the release is built with what its own go.mod says.
    directory: import.meta.dirname,
    command: (folder) => ({
      words: ['install', '-v', '-trimpath', '-ldflags', flags, source],
      env: { GOBIN: folder },
      product: 'helm',
    }),
  }
}

/** As the Makefile of the release sets them: what `helm version` prints and `.Capabilities` say. */
function flagsOf(release: Release): string {
  const version = { version: release.version, metadata: '', gitTreeState: 'clean' }
  const variables = { ...inPackage('internal/version', version), ...release.variables }
  return [
    '-s -w',
    ...Object.entries(variables).map(([name, value]) => `-X ${moduleOf(release)}/${name}=${value}`),
  ].join(' ')
}

function inPackage(name: string, variables: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(variables).map(([variable, value]) => [`${name}.${variable}`, value]))
}

function moduleOf({ major }: Release): string {
  return `helm.sh/helm/v${major}`
}

function pathOf({ version }: Release): string {
  return join(programFolder('helm', version), 'helm')
}
