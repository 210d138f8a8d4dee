/** How large the parts of a device may be: rules hold slices to this, and estimates of costs count on it. */

export const DRIVER_NAME_BYTES_MAX = 63
export const IDENTIFIER_BYTES_MAX = 32
/** Bytes of an attribute that is a text or a version. */
export const ATTRIBUTE_VALUE_BYTES_MAX = 64
/** Attributes and capacities of one device together. */
export const ATTRIBUTES_AND_CAPACITIES_MAX = 32
