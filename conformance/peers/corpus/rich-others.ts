/** Rich objects of the other groups. */

const labels = { app: 'web' }
const selector = { matchLabels: labels, matchExpressions: [{ key: 'tier', operator: 'NotIn', values: ['back'] }] }
const jobPod = { restartPolicy: 'Never', containers: [{ name: 'app', image: 'registry.example/app:1' }] }
const jobTemplate = { metadata: { labels }, spec: jobPod }
const rules = [
  { apiGroups: ['apps'], apiVersions: ['v1'], resources: ['deployments'], operations: ['CREATE'], scope: '*' },
]
const clientConfig = { service: { namespace: 'default', name: 'hook', path: '/check', port: 443 }, caBundle: '' }
const webhook = {
  name: 'check.example.com',
  clientConfig: { url: 'https://example.com/check' },
  rules,
  failurePolicy: 'Fail',
  matchPolicy: 'Exact',
  namespaceSelector: selector,
  objectSelector: selector,
  sideEffects: 'None',
  timeoutSeconds: 5,
  admissionReviewVersions: ['v1'],
  matchConditions: [{ name: 'not-leases', expression: "request.resource.group != 'coordination.k8s.io'" }],
}
const viaService = { ...webhook, clientConfig, matchConditions: undefined }
const matchConstraints = {
  resourceRules: rules,
  excludeResourceRules: [{ ...rules[0], resourceNames: ['a'] }],
  namespaceSelector: selector,
  objectSelector: selector,
  matchPolicy: 'Equivalent',
}
const request = {
  name: 'gpu',
  exactly: {
    deviceClassName: 'gpu.example.com',
    allocationMode: 'ExactCount',
    count: 2,
    selectors: [{ cel: { expression: 'true' } }],
    tolerations: [{ key: 'a', operator: 'Exists', effect: 'NoSchedule' }],
  },
}
const devices = {
  requests: [request],
  constraints: [{ requests: ['gpu'], matchAttribute: 'example.com/model' }],
  config: [{ requests: ['gpu'], opaque: { driver: 'gpu.example.com', parameters: { a: 1 } } }],
}

export const RICH_OTHERS: Readonly<Record<string, readonly object[]>> = {
  'batch/v1 Job': [
    {
      spec: {
        parallelism: 2,
        completions: 3,
        completionMode: 'Indexed',
        backoffLimitPerIndex: 1,
        maxFailedIndexes: 2,
        activeDeadlineSeconds: 100,
        ttlSecondsAfterFinished: 10,
        suspend: true,
        podReplacementPolicy: 'Failed',
        podFailurePolicy: {
          rules: [
            { action: 'FailIndex', onExitCodes: { containerName: 'app', operator: 'In', values: [1, 2] } },
            { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
          ],
        },
        successPolicy: { rules: [{ succeededIndexes: '0-1', succeededCount: 1 }] },
        template: jobTemplate,
      },
    },
    {
      spec: {
        backoffLimit: 3,
        manualSelector: true,
        selector: { matchLabels: labels },
        managedBy: 'example.com/x',
        template: jobTemplate,
      },
    },
  ],
  'batch/v1 CronJob': [
    {
      spec: {
        schedule: '*/5 * * * *',
        timeZone: 'Europe/Berlin',
        startingDeadlineSeconds: 10,
        concurrencyPolicy: 'Forbid',
        suspend: true,
        successfulJobsHistoryLimit: 1,
        failedJobsHistoryLimit: 2,
        jobTemplate: { metadata: { labels }, spec: { template: jobTemplate, backoffLimit: 1 } },
      },
    },
  ],
  'autoscaling/v1 HorizontalPodAutoscaler': [
    {
      spec: {
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
        minReplicas: 1,
        maxReplicas: 3,
        targetCPUUtilizationPercentage: 50,
      },
    },
  ],
  'autoscaling/v2 HorizontalPodAutoscaler': [
    {
      spec: {
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
        minReplicas: 1,
        maxReplicas: 3,
        metrics: [
          { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } } },
        ],
        behavior: {
          scaleUp: {
            stabilizationWindowSeconds: 10,
            selectPolicy: 'Max',
            policies: [{ type: 'Pods', value: 4, periodSeconds: 60 }],
          },
          scaleDown: { policies: [{ type: 'Percent', value: 10, periodSeconds: 60 }] },
        },
      },
    },
    {
      spec: {
        scaleTargetRef: { kind: 'Deployment', name: 'web' },
        maxReplicas: 3,
        metrics: [
          {
            type: 'Object',
            object: {
              describedObject: { kind: 'Service', name: 'a' },
              metric: { name: 'hits', selector },
              target: { type: 'Value', value: '10' },
            },
          },
        ],
      },
    },
    {
      spec: {
        scaleTargetRef: { kind: 'Deployment', name: 'web' },
        maxReplicas: 3,
        metrics: [
          {
            type: 'External',
            external: { metric: { name: 'hits', selector }, target: { type: 'AverageValue', averageValue: '10' } },
          },
        ],
      },
    },
    {
      spec: {
        scaleTargetRef: { kind: 'Deployment', name: 'web' },
        maxReplicas: 3,
        metrics: [
          {
            type: 'ContainerResource',
            containerResource: {
              name: 'cpu',
              container: 'app',
              target: { type: 'Utilization', averageUtilization: 50 },
            },
          },
        ],
      },
    },
    {
      spec: {
        scaleTargetRef: { kind: 'Deployment', name: 'web' },
        maxReplicas: 3,
        metrics: [
          { type: 'Pods', pods: { metric: { name: 'hits' }, target: { type: 'AverageValue', averageValue: '10' } } },
        ],
      },
    },
  ],
  'networking.k8s.io/v1 Ingress': [
    {
      spec: {
        ingressClassName: 'nginx',
        defaultBackend: { service: { name: 'web', port: { number: 80 } } },
        tls: [{ hosts: ['a.example'], secretName: 'tls' }],
        rules: [
          {
            host: 'a.example',
            http: {
              paths: [
                { path: '/a', pathType: 'Prefix', backend: { service: { name: 'web', port: { name: 'http' } } } },
                {
                  path: '/b',
                  pathType: 'Exact',
                  backend: { resource: { apiGroup: 'example.com', kind: 'Bucket', name: 'b' } },
                },
              ],
            },
          },
        ],
      },
    },
  ],
  'networking.k8s.io/v1 IngressClass': [
    {
      spec: {
        controller: 'example.com/controller',
        parameters: {
          apiGroup: 'example.com',
          kind: 'Parameters',
          name: 'a',
          scope: 'Namespace',
          namespace: 'default',
        },
      },
    },
  ],
  'networking.k8s.io/v1 NetworkPolicy': [
    {
      spec: {
        podSelector: selector,
        policyTypes: ['Ingress', 'Egress'],
        ingress: [
          {
            from: [
              { podSelector: selector, namespaceSelector: selector },
              { ipBlock: { cidr: '10.0.0.0/8', except: ['10.1.0.0/16'] } },
            ],
            ports: [{ protocol: 'TCP', port: 80, endPort: 90 }],
          },
        ],
        egress: [{ to: [{ ipBlock: { cidr: '10.0.0.0/8' } }], ports: [{ protocol: 'UDP', port: 'dns' }] }],
      },
    },
  ],
  'policy/v1 PodDisruptionBudget': [
    { spec: { minAvailable: 1, selector, unhealthyPodEvictionPolicy: 'AlwaysAllow' } },
    { spec: { maxUnavailable: '50%', selector } },
  ],
  'discovery.k8s.io/v1 EndpointSlice': [
    {
      addressType: 'IPv4',
      endpoints: [
        {
          addresses: ['192.0.2.1'],
          conditions: { ready: true, serving: true, terminating: false },
          hostname: 'a',
          nodeName: 'n',
          zone: 'z',
          targetRef: { kind: 'Pod', name: 'a' },
          hints: { forZones: [{ name: 'z' }] },
        },
      ],
      ports: [{ name: 'http', port: 80, protocol: 'TCP', appProtocol: 'http' }],
    },
    { addressType: 'FQDN', endpoints: [{ addresses: ['a.example'] }], ports: [{ port: 80 }] },
    { addressType: 'IPv6', endpoints: [{ addresses: ['2001:db8::1'] }] },
  ],
  'storage.k8s.io/v1 StorageClass': [
    {
      provisioner: 'example.com/disk',
      parameters: { a: 'b' },
      reclaimPolicy: 'Retain',
      mountOptions: ['ro'],
      allowVolumeExpansion: true,
      volumeBindingMode: 'WaitForFirstConsumer',
      allowedTopologies: [{ matchLabelExpressions: [{ key: 'zone', values: ['a'] }] }],
    },
  ],
  'storage.k8s.io/v1 CSIDriver': [
    {
      spec: {
        attachRequired: true,
        podInfoOnMount: true,
        volumeLifecycleModes: ['Persistent', 'Ephemeral'],
        storageCapacity: true,
        fsGroupPolicy: 'File',
        tokenRequests: [{ audience: 'a', expirationSeconds: 3600 }],
        requiresRepublish: true,
        seLinuxMount: false,
      },
    },
  ],
  'storage.k8s.io/v1 CSINode': [
    { spec: { drivers: [{ name: 'example.com', nodeID: 'n', topologyKeys: ['zone'], allocatable: { count: 3 } }] } },
  ],
  'storage.k8s.io/v1 CSIStorageCapacity': [
    { storageClassName: 'fast', nodeTopology: selector, capacity: '1Gi', maximumVolumeSize: '1Gi' },
  ],
  'storage.k8s.io/v1 VolumeAttachment': [
    { spec: { attacher: 'example.com', nodeName: 'node-1', source: { persistentVolumeName: 'disk' } } },
  ],
  'coordination.k8s.io/v1 Lease': [
    {
      spec: {
        holderIdentity: 'a',
        leaseDurationSeconds: 15,
        acquireTime: '2020-01-01T00:00:00.000000Z',
        renewTime: '2020-01-01T00:00:00.000000Z',
        leaseTransitions: 1,
      },
    },
  ],
  'node.k8s.io/v1 RuntimeClass': [
    {
      handler: 'runc',
      overhead: { podFixed: { cpu: '10m' } },
      scheduling: {
        nodeSelector: { a: 'b' },
        tolerations: [{ key: 'a', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 3 }],
      },
    },
  ],
  'scheduling.k8s.io/v1 PriorityClass': [
    { value: 10, globalDefault: false, description: 'a', preemptionPolicy: 'Never' },
  ],
  'rbac.authorization.k8s.io/v1 ClusterRole': [
    {
      rules: [
        { apiGroups: [''], resources: ['pods'], verbs: ['get'], resourceNames: ['a'] },
        { nonResourceURLs: ['/healthz'], verbs: ['get'] },
      ],
    },
    { aggregationRule: { clusterRoleSelectors: [selector] }, rules: null },
  ],
  'rbac.authorization.k8s.io/v1 Role': [
    { rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'], resourceNames: ['a'] }] },
  ],
  'rbac.authorization.k8s.io/v1 RoleBinding': [
    {
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
      subjects: [
        { kind: 'ServiceAccount', name: 'default', namespace: 'corpus' },
        { kind: 'User', name: 'jane', apiGroup: 'rbac.authorization.k8s.io' },
      ],
    },
  ],
  'rbac.authorization.k8s.io/v1 ClusterRoleBinding': [
    {
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
      subjects: [
        { kind: 'ServiceAccount', name: 'default', namespace: 'corpus' },
        { kind: 'Group', name: 'all', apiGroup: 'rbac.authorization.k8s.io' },
      ],
    },
  ],
  'flowcontrol.apiserver.k8s.io/v1 FlowSchema': [
    {
      spec: {
        priorityLevelConfiguration: { name: 'workload-low' },
        matchingPrecedence: 500,
        distinguisherMethod: { type: 'ByUser' },
        rules: [
          {
            subjects: [{ kind: 'ServiceAccount', serviceAccount: { name: 'a', namespace: 'b' } }],
            resourceRules: [
              { verbs: ['get'], apiGroups: [''], resources: ['pods'], namespaces: ['default'], clusterScope: true },
            ],
            nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/healthz'] }],
          },
        ],
      },
    },
  ],
  'flowcontrol.apiserver.k8s.io/v1 PriorityLevelConfiguration': [
    {
      spec: {
        type: 'Limited',
        limited: {
          nominalConcurrencyShares: 10,
          lendablePercent: 10,
          borrowingLimitPercent: 20,
          limitResponse: { type: 'Queue', queuing: { queues: 16, handSize: 4, queueLengthLimit: 10 } },
        },
      },
    },
    { spec: { type: 'Exempt', exempt: { nominalConcurrencyShares: 1, lendablePercent: 10 } } },
  ],
  'admissionregistration.k8s.io/v1 ValidatingWebhookConfiguration': [
    { webhooks: [webhook] },
    { webhooks: [viaService] },
  ],
  'admissionregistration.k8s.io/v1 MutatingWebhookConfiguration': [
    { webhooks: [{ ...webhook, reinvocationPolicy: 'IfNeeded' }] },
  ],
  'admissionregistration.k8s.io/v1 ValidatingAdmissionPolicy': [
    {
      spec: {
        matchConstraints,
        failurePolicy: 'Ignore',
        paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
        variables: [{ name: 'n', expression: 'object.spec.replicas' }],
        validations: [
          { expression: 'variables.n < 5', message: 'too many', reason: 'Invalid', messageExpression: "'no'" },
        ],
        matchConditions: [{ name: 'a', expression: 'true' }],
        auditAnnotations: [{ key: 'a', valueExpression: "'b'" }],
      },
    },
  ],
  'admissionregistration.k8s.io/v1 ValidatingAdmissionPolicyBinding': [
    {
      spec: {
        policyName: 'policy',
        validationActions: ['Deny', 'Audit'],
        paramRef: { name: 'a', namespace: 'b', parameterNotFoundAction: 'Deny' },
        matchResources: matchConstraints,
      },
    },
  ],
  'admissionregistration.k8s.io/v1 MutatingAdmissionPolicy': [
    {
      spec: {
        matchConstraints,
        failurePolicy: 'Fail',
        reinvocationPolicy: 'Never',
        variables: [{ name: 'n', expression: 'object.spec.replicas' }],
        mutations: [
          {
            patchType: 'ApplyConfiguration',
            applyConfiguration: { expression: 'Object{spec: Object.spec{replicas: 3}}' },
          },
          { patchType: 'JSONPatch', jsonPatch: { expression: "[JSONPatch{op: 'remove', path: '/spec/replicas'}]" } },
        ],
        matchConditions: [{ name: 'a', expression: 'true' }],
      },
    },
  ],
  'admissionregistration.k8s.io/v1 MutatingAdmissionPolicyBinding': [
    {
      spec: {
        policyName: 'policy',
        paramRef: { name: 'a', parameterNotFoundAction: 'Allow' },
        matchResources: matchConstraints,
      },
    },
  ],
  'resource.k8s.io/v1 DeviceClass': [
    {
      spec: {
        selectors: [{ cel: { expression: "device.driver == 'gpu.example.com'" } }],
        config: [{ opaque: { driver: 'gpu.example.com', parameters: { a: 1 } } }],
        extendedResourceName: 'example.com/gpu',
      },
    },
  ],
  'resource.k8s.io/v1 ResourceClaim': [
    { spec: { devices } },
    {
      spec: {
        devices: {
          requests: [{ name: 'any', firstAvailable: [{ name: 'big', deviceClassName: 'big.example.com', count: 1 }] }],
        },
      },
    },
  ],
  'resource.k8s.io/v1 ResourceClaimTemplate': [{ spec: { metadata: { labels }, spec: { devices } } }],
  'resource.k8s.io/v1 ResourceSlice': [
    {
      spec: {
        driver: 'gpu.example.com',
        nodeName: 'node-1',
        pool: { name: 'pool', generation: 1, resourceSliceCount: 1 },
        devices: [
          {
            name: 'gpu-0',
            attributes: {
              model: { string: 'a' },
              cores: { int: 4 },
              fast: { bool: true },
              driver: { version: '1.2.3' },
            },
            capacity: { memory: { value: '1Gi' } },
            taints: [{ key: 'a', value: 'b', effect: 'NoSchedule' }],
          },
        ],
      },
    },
  ],
  'apiextensions.k8s.io/v1 CustomResourceDefinition': [
    {
      metadata: { name: 'things.example.com' },
      spec: {
        group: 'example.com',
        scope: 'Namespaced',
        names: {
          plural: 'things',
          singular: 'thing',
          kind: 'Thing',
          listKind: 'ThingList',
          shortNames: ['th'],
          categories: ['all'],
        },
        versions: [
          {
            name: 'v1',
            served: true,
            storage: true,
            schema: {
              openAPIV3Schema: {
                type: 'object',
                properties: {
                  spec: { type: 'object', properties: { replicas: { type: 'integer' } } },
                  status: { type: 'object', properties: { replicas: { type: 'integer' } } },
                },
              },
            },
            subresources: {
              status: {},
              scale: {
                specReplicasPath: '.spec.replicas',
                statusReplicasPath: '.status.replicas',
                labelSelectorPath: '.status.selector',
              },
            },
            additionalPrinterColumns: [
              {
                name: 'Replicas',
                type: 'integer',
                jsonPath: '.spec.replicas',
                priority: 1,
                format: 'int32',
                description: 'a',
              },
            ],
            selectableFields: [{ jsonPath: '.spec.replicas' }],
          },
        ],
        conversion: { strategy: 'None' },
      },
    },
  ],
  'apiregistration.k8s.io/v1 APIService': [
    {
      metadata: { name: 'v1.example.com' },
      spec: {
        group: 'example.com',
        version: 'v1',
        groupPriorityMinimum: 100,
        versionPriority: 10,
        insecureSkipTLSVerify: true,
        service: { namespace: 'default', name: 'web', port: 443 },
      },
    },
  ],
  'authorization.k8s.io/v1 SubjectAccessReview': [
    {
      metadata: {},
      spec: {
        user: 'jane',
        groups: ['a'],
        uid: 'u',
        extra: { a: ['b'] },
        resourceAttributes: {
          verb: 'get',
          group: '',
          version: 'v1',
          resource: 'pods',
          subresource: 'log',
          name: 'a',
          namespace: 'default',
        },
      },
    },
  ],
  'authorization.k8s.io/v1 LocalSubjectAccessReview': [
    {
      metadata: {},
      spec: { user: 'jane', resourceAttributes: { verb: 'get', resource: 'pods', namespace: 'corpus' } },
    },
  ],
  'authorization.k8s.io/v1 SelfSubjectAccessReview': [
    { metadata: {}, spec: { resourceAttributes: { verb: 'get', resource: 'pods' } } },
  ],
  'authorization.k8s.io/v1 SelfSubjectRulesReview': [{ metadata: {}, spec: { namespace: 'default' } }],
  'authentication.k8s.io/v1 TokenReview': [{ metadata: {}, spec: { token: 'x', audiences: ['a'] } }],
  'authentication.k8s.io/v1 SelfSubjectReview': [{ metadata: {} }],
}
