/** What containers use, in the shape of upstream's `/stats/summary`: what metrics servers read. */

import { formatTime } from '../../machinery/meta/time.ts'
import type { KubeletServerOptions } from './kubelet-request.ts'

export async function statsSummary({ nodeName, runtime, pods, clock }: KubeletServerOptions): Promise<object> {
  const time = formatTime(clock.now())
  const running = (await runtime.containers()).filter(({ state }) => state === 'running')
  const measured = await Promise.all(
    running.map(async (container) => ({ container, usage: await runtime.usage(container.id) })),
  )
  return {
    node: { nodeName },
    pods: pods().map(({ metadata }) => ({
      podRef: { name: metadata.name, namespace: metadata.namespace, uid: metadata.uid },
      containers: measured
        .filter(({ container }) => container.pod.uid === metadata.uid)
        .flatMap(({ container, usage }) =>
          usage
            ? {
                name: container.name,
                startTime: formatTime(container.startedAtMs ?? container.createdAtMs),
                cpu: { time, usageCoreNanoSeconds: usage.cpuNanoseconds },
                memory: { time, workingSetBytes: usage.memoryWorkingSetBytes },
              }
            : [],
        ),
    })),
  }
}
