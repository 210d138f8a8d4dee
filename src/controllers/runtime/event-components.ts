/** How controllers sign their events. People and alerts look for these names, so they are upstream's, odd as they are. */

const COMPONENTS: Readonly<Record<string, string>> = {
  'disruption-controller': 'controllermanager',
  'endpoints-controller': 'endpoint-controller',
  'endpointslice-controller': 'endpoint-slice-controller',
  'endpointslice-mirroring-controller': 'endpoint-slice-mirroring-controller',
  'ephemeral-volume-controller': 'ephemeral_volume',
  'horizontal-pod-autoscaler-controller': 'horizontal-pod-autoscaler',
  'ip-address-controller': 'ipallocator-repair-controller',
  'node-ipam-controller': 'cidrAllocator',
  'node-lifecycle-controller': 'node-controller',
  'persistentvolume-binder-controller': 'persistentvolume-controller',
  'persistentvolume-expander-controller': 'volume_expand',
  'persistentvolume-reclaimer-controller': 'persistentvolume-controller',
  'replicationcontroller-controller': 'replication-controller',
  'resourceclaim-controller': 'resource_claim',
}

export function eventComponent(controller: string): string {
  return Object.hasOwn(COMPONENTS, controller) ? (COMPONENTS[controller] ?? controller) : controller
}
