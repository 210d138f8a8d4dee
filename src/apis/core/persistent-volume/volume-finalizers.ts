/** What keeps volumes, claims and classes of volume attributes while they are used. */

export const VOLUME_PROTECTION = 'kubernetes.io/pv-protection'
export const ATTRIBUTES_CLASS_PROTECTION = 'kubernetes.io/vac-protection'
export const CLAIM_PROTECTION = 'kubernetes.io/pvc-protection'
