/** Versions that this program reports. */

/** The API that is implemented. */
export const KUBERNETES_VERSION = 'v1.36.3'
export const KUBELET_VERSION = KUBERNETES_VERSION
export const T8S_VERSION = '0.1.0'
