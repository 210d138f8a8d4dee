/** `/version`: which Kubernetes this is. Clients read major, minor and gitVersion to judge the skew. */

import type { VersionInfo } from '../../apis/meta/types.gen.ts'

const MAJOR = '1'
const MINOR = '36'
const PATCH = '3'

/** Build metadata after `+`, so that version comparisons see plain v1.36.3. */
export const GIT_VERSION = `v${MAJOR}.${MINOR}.${PATCH}+t8s`

export interface BuildInfo {
  /** As `process.version`. */
  readonly nodeVersion: string
  /** As `process.platform` and `process.arch`. */
  readonly platform: string
  readonly arch: string
  readonly commit: string
  /** RFC 3339. */
  readonly buildDate: string
}

const GO_ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' }
const GO_PLATFORMS: Readonly<Record<string, string>> = { win32: 'windows' }

export function versionInfo({ nodeVersion, platform, arch, commit, buildDate }: BuildInfo): VersionInfo {
  return {
    major: MAJOR,
    minor: MINOR,
    emulationMajor: MAJOR,
    emulationMinor: MINOR,
    minCompatibilityMajor: MAJOR,
    minCompatibilityMinor: String(Number(MINOR) - 1),
    gitVersion: GIT_VERSION,
    gitCommit: commit,
    gitTreeState: 'clean',
    buildDate,
    goVersion: `node ${nodeVersion}`,
    compiler: 'v8',
    platform: `${GO_PLATFORMS[platform] ?? platform}/${GO_ARCHITECTURES[arch] ?? arch}`,
  }
}
