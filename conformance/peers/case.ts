/** Cases as data: what is sent, one request after the other; both servers must answer alike. */

/** Cases of one theme; each has a namespace of its own, written `{ns}`, with a service account `default`. */
export interface Theme {
  readonly theme: string
  readonly cases: readonly Case[]
}

export interface Case {
  /** What is found out; unique in its theme. */
  readonly name: string
  readonly steps: readonly Step[]
}

export type Comparison = 'status' | 'structure' | 'uncontrolled'

export interface Step {
  /** `GET /api/v1/namespaces/{ns}/pods?limit=1`. Words in braces are variables. */
  readonly send: string
  /** An object is sent as JSON, a string as it is. Variables are replaced in it as well. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly anonymous?: boolean | undefined
  /** Variables for later steps: name → path in the answer (`metadata.resourceVersion`). */
  readonly save?: Readonly<Record<string, string>> | undefined
  /** `status`: only the code; `structure`: without what descriptions say; `uncontrolled`: without what controllers of the server write. Absent: everything. */
  readonly compare?: Comparison | undefined
}

export const JSON_PATCH = 'application/json-patch+json'
export const MERGE_PATCH = 'application/merge-patch+json'
export const STRATEGIC_PATCH = 'application/strategic-merge-patch+json'
export const APPLY_PATCH = 'application/apply-patch+yaml'
export const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json'
export const METADATA = 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io,application/json'
export const METADATA_LIST = 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json'

type More = Omit<Step, 'send' | 'body'>

export const get = (url: string, more: More = {}): Step => ({ send: `GET ${url}`, ...more })
export const remove = (url: string, body?: unknown, more: More = {}): Step => ({ send: `DELETE ${url}`, body, ...more })
export const post = (url: string, body: unknown, more: More = {}): Step => ({ send: `POST ${url}`, body, ...more })
export const put = (url: string, body: unknown, more: More = {}): Step => ({ send: `PUT ${url}`, body, ...more })

export function patch(type: string, url: string, body: unknown, more: More = {}): Step {
  return { send: `PATCH ${url}`, body, ...more, headers: { 'content-type': type, ...more.headers } }
}

export const accept = (type: string): More => ({ headers: { accept: type } })

/** The steps, with an accept header on the last. */
export function caseOf(name: string, ...steps: readonly Step[]): Case {
  return { name, steps }
}
