/** The one list of controllers, by their canonical names. A new controller is a new file and a line here. */

import { daemonSetController } from './apps/daemon-set/controller.ts'
import { deploymentController } from './apps/deployment/controller.ts'
import { replicaSetController } from './apps/replica-set.ts'
import { replicationControllerController } from './apps/replication-controller.ts'
import { statefulSetController } from './apps/stateful-set/controller.ts'
import { horizontalPodAutoscalerController } from './autoscaling/horizontal-pod-autoscaler.ts'
import { cronJobController } from './batch/cron-job.ts'
import { jobController, orphanedJobPods } from './batch/job/controller.ts'
import { ttlAfterFinishedController } from './batch/ttl-after-finished.ts'
import { deviceClaimReleaser } from './devices/device-claim-releaser.ts'
import { podDeviceClaims } from './devices/pod-device-claims.ts'
import { admissionPolicyStatusController } from './extensions/admission-policy-status.ts'
import { autoRegisterController } from './extensions/auto-register.ts'
import { availabilityController, type CheckApiService } from './extensions/availability.ts'
import { flowSchemaStatusController } from './extensions/flow-schema-status.ts'
import { garbageCollector } from './garbage/garbage-collector.ts'
import { namespaceController } from './namespaces/namespace.ts'
import { resourceQuotaController } from './namespaces/resource-quota.ts'
import { rootCaPublisher } from './namespaces/root-ca-publisher.ts'
import { serviceAccountController } from './namespaces/service-account.ts'
import { endpointSliceController } from './network/endpoint-slice.ts'
import { endpointSliceMirroringController } from './network/endpoint-slice-mirroring.ts'
import { endpointsController } from './network/endpoints.ts'
import { ipAddressController } from './network/ip-addresses.ts'
import { serviceCidrController } from './network/service-cidr.ts'
import { nodeIpamController } from './nodes/node-ipam.ts'
import { nodeLifecycleController } from './nodes/node-lifecycle.ts'
import { podGarbageCollector } from './nodes/pod-garbage-collector.ts'
import { taintEvictionController } from './nodes/taint-eviction.ts'
import { disruptionController } from './policy/disruption.ts'
import { staleDisruptionController } from './policy/stale-disruption.ts'
import type { Controller } from './runtime/controller.ts'
import { authenticationTrustController } from './security/authentication-trust.ts'
import { bootstrapSigner } from './security/bootstrap-signer.ts'
import { certificateApprover } from './security/certificate-approver.ts'
import { certificateCleaner } from './security/certificate-cleaner.ts'
import { certificateSigner, type SignCertificate } from './security/certificate-signer.ts'
import { clusterRoleAggregationController } from './security/cluster-role-aggregation.ts'
import { type IssueToken, serviceAccountTokenController } from './security/service-account-tokens.ts'
import { type NamesOfNode, servingApprover } from './security/serving-approver.ts'
import { tokenCleaner } from './security/token-cleaner.ts'
import { ephemeralVolumeController } from './volumes/ephemeral-volume.ts'
import {
  attributesClassProtectionController,
  claimProtectionController,
  volumeProtectionController,
} from './volumes/protection.ts'
import { claimBinder, volumeReclaimer } from './volumes/volume-binder.ts'
import { volumeExpander } from './volumes/volume-expander.ts'

export interface ControllerSettings {
  readonly podCidr: string
  readonly serviceCidr: string
  readonly nodePrefixLength: number
  /** PEM: the authority that signs the API server's certificate. */
  readonly rootCa: string
  /** Signs with that authority. */
  readonly signCertificate: SignCertificate
  /** What the serving certificates of the cluster's own nodes may name. */
  readonly namesOfNode: NamesOfNode
  /** Tokens of service accounts that never end. */
  readonly issueToken: IssueToken
  /** PEM: the authority of the certificate with which the API server comes to others behind it. */
  readonly frontProxyCa: () => Promise<string>
  readonly checkApiService: CheckApiService
}

export function builtinControllers({
  podCidr,
  serviceCidr,
  nodePrefixLength,
  rootCa,
  signCertificate,
  namesOfNode,
  issueToken,
  frontProxyCa,
  checkApiService,
}: ControllerSettings): readonly Controller[] {
  return [
    namespaceController,
    garbageCollector,
    serviceAccountController,
    serviceAccountTokenController({ rootCa, issueToken }),
    clusterRoleAggregationController,
    authenticationTrustController({ rootCa, frontProxyCa }),
    certificateApprover,
    servingApprover(namesOfNode),
    certificateSigner(signCertificate),
    certificateCleaner,
    bootstrapSigner,
    tokenCleaner,
    rootCaPublisher(rootCa),
    resourceQuotaController,
    claimBinder,
    volumeReclaimer,
    volumeExpander,
    claimProtectionController,
    volumeProtectionController,
    attributesClassProtectionController,
    ephemeralVolumeController,
    podDeviceClaims,
    deviceClaimReleaser,
    horizontalPodAutoscalerController,
    autoRegisterController,
    availabilityController(checkApiService),
    flowSchemaStatusController,
    admissionPolicyStatusController,
    nodeIpamController(podCidr, nodePrefixLength),
    nodeLifecycleController(),
    taintEvictionController,
    podGarbageCollector,
    disruptionController,
    staleDisruptionController,
    endpointSliceController,
    endpointsController,
    endpointSliceMirroringController,
    serviceCidrController([serviceCidr]),
    ipAddressController,
    deploymentController,
    replicaSetController,
    replicationControllerController,
    statefulSetController,
    daemonSetController(),
    jobController(),
    orphanedJobPods,
    cronJobController(),
    ttlAfterFinishedController,
  ]
}
