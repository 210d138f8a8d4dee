/** Requests without a pause, each on a connection of its own, from this machine; every answer and failure is kept. */

import { request } from 'node:http'

export interface Load {
  readonly answers: () => readonly string[]
  /** With the time at which each was known. */
  readonly failures: () => readonly string[]
  /** Resolves when the last request has its answer. */
  stop(): Promise<void>
}

/** How long a request may go without an answer, in ms. */
const ANSWER_MS_MAX = 5_000
const CLIENTS = 4

export function startLoad(urls: readonly string[]): Load {
  const answers: string[] = []
  const failures: string[] = []
  let stopped = false
  const client = async (number: number) => {
    for (let turn = number; !stopped; turn++) {
      const url = urls[turn % urls.length] ?? ''
      try {
        answers.push(await get(url))
      } catch (error) {
        failures.push(`${new Date().toISOString()} ${url}: ${String(error)}`)
      }
    }
  }
  const clients = Promise.all(Array.from({ length: CLIENTS }, (_, number) => client(number)))
  return {
    answers: () => answers,
    failures: () => failures,
    async stop() {
      stopped = true
      await clients
    },
  }
}

/** The body of an answer with status 200. */
export function get(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { agent: false, timeout: ANSWER_MS_MAX }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString()
        if (response.statusCode === 200 && text !== '') resolve(text)
        else reject(new Error(`${response.statusCode} ${text}`))
      })
    })
    sent.on('timeout', () => sent.destroy(new Error(`no answer in ${ANSWER_MS_MAX} ms`)))
    sent.on('error', reject)
    sent.end()
  })
}
