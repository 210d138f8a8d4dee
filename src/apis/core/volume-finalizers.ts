/** What keeps volumes and claims while they are used. */

export const VOLUME_PROTECTION = 'kubernetes.io/pv-protection'
export const CLAIM_PROTECTION = 'kubernetes.io/pvc-protection'
