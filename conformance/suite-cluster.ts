/**
 * A cluster for one run of upstream's suite: started with the project's own command in a temporary home, removed with
 * `down`. What its server said is kept.
 */

import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { capture, say } from '../scripts/command.ts'

/** Another build than this tree's: T8S_COMMAND. */
const T8S = process.env.T8S_COMMAND ?? resolve(import.meta.dirname, '../dist/t8s.js')
/** Of its own: what one run removes must not be another's. */
const NAME = `conformance-${process.pid}`
/** No other cluster of the project has these ranges. */
const RANGES = ['--pod-cidr=10.150.0.0/16', '--service-cidr=10.160.0.0/16']

export interface SuiteCluster extends Disposable {
  readonly kubeconfig: string
  /** HOME of the suite and of the kubectl that it runs: a person's settings are neither read nor written. */
  readonly home: string
}

export interface SuiteClusterPlan {
  readonly nodes: number
  /** The folder where the server's log goes when the cluster is removed. */
  readonly logs: string
  readonly kubectl: string
}

export function startSuiteCluster({ nodes, logs, kubectl }: SuiteClusterPlan): SuiteCluster {
  const home = mkdtempSync(join(tmpdir(), 't8s-conformance-'))
  const kubeconfig = join(home, 'kubeconfig')
  const env = { ...process.env, HOME: home, T8S_HOME: join(home, 't8s'), T8S_CLUSTER: NAME, KUBECONFIG: kubeconfig }
  const t8s = (...words: readonly string[]) => capture(process.execPath, [T8S, ...words], { env })
  const remove = () => {
    const log = join(home, 't8s', NAME, 'log')
    if (existsSync(log)) cpSync(log, logs, { recursive: true })
    const { code, output } = t8s('down', NAME)
    if (code === 0) rmSync(home, { recursive: true, force: true })
    else say(`the cluster in ${home} could not be removed: ${output}`)
  }
  const kind = nodes === 0 ? [] : ['--runtime=docker']
  const { code, output } = t8s('up', NAME, '--detach', `--nodes=${nodes}`, ...kind, '--port=0', ...RANGES)
  try {
    if (code !== 0) throw new Error(`the cluster did not start: ${output}`)
    if (nodes === 0) createBareNode(kubectl, kubeconfig)
  } catch (error) {
    remove()
    throw error
  }
  return { kubeconfig, home, [Symbol.dispose]: remove }
}

/**
 * Two tests take the name of any Node for a VolumeAttachment, which needs an object and no machine. Nothing may be
 * scheduled to it: no kubelet would ever run or remove the pod.
 */
function createBareNode(kubectl: string, kubeconfig: string): void {
  const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'without-kubelet' }, spec: { unschedulable: true } }
  const options = { input: JSON.stringify(node) }
  const { code, output } = capture(kubectl, ['--kubeconfig', kubeconfig, 'create', '-f', '-'], options)
  if (code !== 0) throw new Error(`the node could not be created: ${output}`)
}
