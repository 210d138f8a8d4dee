/** Rich objects of core and apps: many fields with valid values, so that each can be made wrong. */

const labels = { app: 'web' }
const selector = { matchLabels: labels, matchExpressions: [{ key: 'tier', operator: 'In', values: ['front'] }] }
const allLabels = { ...labels, tier: 'front' }

const probe = {
  httpGet: { path: '/ready', port: 'http', scheme: 'HTTP', httpHeaders: [{ name: 'X-A', value: 'b' }] },
  periodSeconds: 5,
  timeoutSeconds: 2,
}

const container = {
  name: 'app',
  image: 'registry.example/app:1',
  command: ['run'],
  args: ['--fast'],
  workingDir: '/work',
  ports: [{ name: 'http', containerPort: 80, protocol: 'TCP', hostPort: 8080, hostIP: '127.0.0.1' }],
  env: [
    { name: 'FIELD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
    { name: 'PLAIN', value: 'x' },
  ],
  envFrom: [{ prefix: 'A_', configMapRef: { name: 'map', optional: true } }],
  resources: { requests: { cpu: '100m', memory: '64Mi' }, limits: { cpu: '1', memory: '128Mi' } },
  resizePolicy: [{ resourceName: 'cpu', restartPolicy: 'NotRequired' }],
  volumeMounts: [{ name: 'empty', mountPath: '/empty', subPath: 'a', readOnly: false, mountPropagation: 'None' }],
  livenessProbe: { tcpSocket: { port: 80 }, initialDelaySeconds: 1, terminationGracePeriodSeconds: 5 },
  readinessProbe: probe,
  startupProbe: { exec: { command: ['true'] }, failureThreshold: 3 },
  lifecycle: { preStop: { sleep: { seconds: 3 } }, postStart: { exec: { command: ['true'] } } },
  securityContext: {
    capabilities: { add: ['NET_ADMIN'], drop: ['ALL'] },
    runAsUser: 1000,
    runAsGroup: 1000,
    runAsNonRoot: true,
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    seccompProfile: { type: 'RuntimeDefault' },
  },
  terminationMessagePath: '/dev/message',
  terminationMessagePolicy: 'File',
  imagePullPolicy: 'IfNotPresent',
}

const affinityTerm = {
  labelSelector: { matchLabels: labels },
  topologyKey: 'kubernetes.io/hostname',
  namespaces: ['other'],
}

const richPod = {
  initContainers: [
    {
      name: 'init',
      image: 'registry.example/init:1',
      restartPolicy: 'Always',
      startupProbe: { grpc: { port: 9000, service: 'x' } },
    },
  ],
  containers: [container],
  volumes: [
    { name: 'empty', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
    { name: 'map', configMap: { name: 'map', defaultMode: 420, items: [{ key: 'a', path: 'b', mode: 256 }] } },
    {
      name: 'all',
      projected: {
        sources: [
          { serviceAccountToken: { path: 'token', expirationSeconds: 3600, audience: 'x' } },
          { downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] } },
        ],
      },
    },
  ],
  restartPolicy: 'Always',
  terminationGracePeriodSeconds: 20,
  activeDeadlineSeconds: 600,
  dnsPolicy: 'ClusterFirst',
  dnsConfig: { nameservers: ['192.0.2.53'], searches: ['example.com'], options: [{ name: 'ndots', value: '2' }] },
  nodeSelector: { disk: 'ssd' },
  serviceAccountName: 'default',
  automountServiceAccountToken: false,
  securityContext: {
    fsGroup: 2000,
    supplementalGroups: [3000],
    sysctls: [{ name: 'kernel.shm_rmid_forced', value: '0' }],
    runAsUser: 1000,
    fsGroupChangePolicy: 'Always',
    supplementalGroupsPolicy: 'Merge',
  },
  imagePullSecrets: [{ name: 'pull' }],
  hostname: 'web',
  subdomain: 'example',
  affinity: {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [
          {
            matchExpressions: [{ key: 'disk', operator: 'In', values: ['ssd'] }],
            matchFields: [{ key: 'metadata.name', operator: 'In', values: ['node'] }],
          },
        ],
      },
      preferredDuringSchedulingIgnoredDuringExecution: [
        { weight: 5, preference: { matchExpressions: [{ key: 'disk', operator: 'Gt', values: ['3'] }] } },
      ],
    },
    podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [affinityTerm] },
    podAntiAffinity: {
      preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 10, podAffinityTerm: affinityTerm }],
    },
  },
  tolerations: [{ key: 'a', operator: 'Equal', value: 'b', effect: 'NoExecute', tolerationSeconds: 60 }],
  hostAliases: [{ ip: '192.0.2.1', hostnames: ['a.example'] }],
  topologySpreadConstraints: [
    {
      maxSkew: 1,
      topologyKey: 'zone',
      whenUnsatisfiable: 'DoNotSchedule',
      labelSelector: { matchLabels: labels },
      minDomains: 2,
      nodeAffinityPolicy: 'Honor',
      nodeTaintsPolicy: 'Ignore',
    },
  ],
  readinessGates: [{ conditionType: 'example.com/ready' }],
  enableServiceLinks: true,
  preemptionPolicy: 'PreemptLowerPriority',
  overhead: undefined,
  schedulerName: 'default-scheduler',
  schedulingGates: [{ name: 'example.com/gate' }],
  os: { name: 'linux' },
  shareProcessNamespace: true,
}

const simplePod = { containers: [{ name: 'app', image: 'registry.example/app:1' }] }
const template = { metadata: { labels: allLabels }, spec: simplePod }
const claim = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, storageClassName: 'fast' }

export const RICH_CORE: Readonly<Record<string, readonly object[]>> = {
  'v1 ConfigMap': [
    { data: { key: 'value' }, binaryData: { bytes: 'AAE=' } },
    { data: { key: 'value' }, immutable: true },
  ],
  'v1 Secret': [
    { data: { key: 'dmFsdWU=' }, stringData: { text: 'a' } },
    { type: 'kubernetes.io/tls', data: { 'tls.crt': '', 'tls.key': '' } },
    { type: 'kubernetes.io/dockerconfigjson', data: { '.dockerconfigjson': 'e30=' } },
    { type: 'kubernetes.io/basic-auth', data: { username: 'YQ==' }, immutable: true },
    { type: 'kubernetes.io/ssh-auth', data: { 'ssh-privatekey': 'YQ==' } },
    { type: 'kubernetes.io/dockercfg', data: { '.dockercfg': 'e30=' } },
  ],
  'v1 Pod': [
    { spec: richPod },
    {
      spec: {
        ...simplePod,
        hostNetwork: true,
        containers: [{ name: 'app', image: 'a', ports: [{ containerPort: 80 }] }],
        nodeName: 'somewhere',
      },
    },
  ],
  'v1 PodTemplate': [{ template }],
  'v1 ReplicationController': [{ spec: { replicas: 2, minReadySeconds: 5, selector: allLabels, template } }],
  'v1 Service': [
    {
      spec: {
        selector: labels,
        ports: [{ name: 'http', port: 80, targetPort: 'http', protocol: 'TCP', appProtocol: 'http' }],
        sessionAffinity: 'ClientIP',
        sessionAffinityConfig: { clientIP: { timeoutSeconds: 60 } },
        publishNotReadyAddresses: true,
        externalIPs: ['192.0.2.9'],
        internalTrafficPolicy: 'Local',
        trafficDistribution: 'PreferClose',
      },
    },
    {
      spec: {
        type: 'LoadBalancer',
        selector: labels,
        ports: [
          { name: 'a', port: 80, nodePort: 30_123 },
          { name: 'b', port: 81 },
        ],
        externalTrafficPolicy: 'Local',
        loadBalancerSourceRanges: ['192.0.2.0/24'],
        loadBalancerClass: 'example.com/lb',
        allocateLoadBalancerNodePorts: true,
        loadBalancerIP: '192.0.2.4',
      },
    },
    { spec: { type: 'ExternalName', externalName: 'example.com' } },
    { spec: { clusterIP: 'None', selector: labels, ports: [{ port: 80 }] } },
    {
      spec: {
        type: 'NodePort',
        selector: labels,
        ports: [{ port: 80, protocol: 'UDP' }],
        ipFamilies: ['IPv4'],
        ipFamilyPolicy: 'SingleStack',
      },
    },
  ],
  'v1 ServiceAccount': [
    { secrets: [{ name: 'a' }], imagePullSecrets: [{ name: 'b' }], automountServiceAccountToken: true },
  ],
  'v1 Endpoints': [
    {
      subsets: [
        {
          addresses: [{ ip: '192.0.2.1', hostname: 'a', nodeName: 'n', targetRef: { kind: 'Pod', name: 'a' } }],
          notReadyAddresses: [{ ip: '192.0.2.2' }],
          ports: [{ name: 'http', port: 80, protocol: 'TCP', appProtocol: 'http' }],
        },
      ],
    },
  ],
  'v1 LimitRange': [
    {
      spec: {
        limits: [
          {
            type: 'Container',
            max: { cpu: '2' },
            min: { cpu: '100m' },
            default: { cpu: '1' },
            defaultRequest: { cpu: '500m' },
            maxLimitRequestRatio: { cpu: '4' },
          },
        ],
      },
    },
    { spec: { limits: [{ type: 'PersistentVolumeClaim', max: { storage: '2Gi' }, min: { storage: '1Gi' } }] } },
  ],
  'v1 ResourceQuota': [
    { spec: { hard: { pods: '1', 'requests.cpu': '1' }, scopes: ['NotTerminating'] } },
    {
      spec: {
        hard: { pods: '1' },
        scopeSelector: { matchExpressions: [{ scopeName: 'PriorityClass', operator: 'In', values: ['high'] }] },
      },
    },
  ],
  'v1 Namespace': [{ spec: { finalizers: ['kubernetes'] } }],
  'v1 Node': [
    {
      spec: {
        podCIDR: '10.154.1.0/24',
        podCIDRs: ['10.154.1.0/24'],
        providerID: 'example://1',
        unschedulable: true,
        taints: [{ key: 'a', value: 'b', effect: 'NoSchedule' }],
      },
      status: { capacity: { cpu: '4' } },
    },
  ],
  'v1 PersistentVolume': [
    {
      spec: {
        capacity: { storage: '1Gi' },
        accessModes: ['ReadWriteOnce'],
        hostPath: { path: '/data', type: 'Directory' },
        persistentVolumeReclaimPolicy: 'Retain',
        storageClassName: 'fast',
        mountOptions: ['ro'],
        volumeMode: 'Filesystem',
        claimRef: { namespace: 'default', name: 'a' },
        nodeAffinity: {
          required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'a', operator: 'In', values: ['b'] }] }] },
        },
      },
    },
    {
      spec: {
        capacity: { storage: '1Gi' },
        accessModes: ['ReadWriteMany'],
        csi: {
          driver: 'example.com',
          volumeHandle: 'v',
          fsType: 'ext4',
          volumeAttributes: { a: 'b' },
          nodePublishSecretRef: { name: 'a', namespace: 'b' },
        },
      },
    },
    { spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadOnlyMany'], nfs: { server: 's', path: '/' } } },
    {
      spec: {
        capacity: { storage: '1Gi' },
        accessModes: ['ReadWriteOnce'],
        local: { path: '/mnt' },
        nodeAffinity: {
          required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'a', operator: 'In', values: ['b'] }] }] },
        },
      },
    },
    {
      spec: {
        capacity: { storage: '1Gi' },
        accessModes: ['ReadWriteOnce'],
        iscsi: { targetPortal: '192.0.2.1:3260', iqn: 'iqn.2001-04.com.example:storage', lun: 0 },
      },
    },
  ],
  'v1 PersistentVolumeClaim': [
    {
      spec: {
        ...claim,
        selector: { matchLabels: labels },
        volumeMode: 'Filesystem',
        volumeName: 'pv',
        resources: { requests: { storage: '1Gi' }, limits: { storage: '2Gi' } },
      },
    },
    {
      spec: {
        ...claim,
        dataSource: { apiGroup: 'snapshot.storage.k8s.io', kind: 'VolumeSnapshot', name: 'a' },
        volumeAttributesClassName: 'gold',
      },
    },
  ],
  'v1 Event': [
    {
      involvedObject: { kind: 'Pod', namespace: 'corpus', name: 'web', uid: 'u', apiVersion: 'v1' },
      reason: 'Tested',
      message: 'it was',
      type: 'Normal',
      count: 1,
      firstTimestamp: '2020-01-01T00:00:00Z',
      lastTimestamp: '2020-01-01T00:00:00Z',
      source: { component: 'x', host: 'y' },
    },
  ],
  'apps/v1 Deployment': [
    {
      spec: {
        replicas: 3,
        selector,
        template,
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: '25%' } },
        minReadySeconds: 5,
        revisionHistoryLimit: 3,
        progressDeadlineSeconds: 100,
        paused: false,
      },
    },
    { spec: { selector, template, strategy: { type: 'Recreate' } } },
  ],
  'apps/v1 ReplicaSet': [{ spec: { replicas: 3, minReadySeconds: 5, selector, template } }],
  'apps/v1 DaemonSet': [
    {
      spec: {
        selector,
        template,
        updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } },
        minReadySeconds: 1,
        revisionHistoryLimit: 2,
      },
    },
    { spec: { selector, template, updateStrategy: { type: 'OnDelete' } } },
  ],
  'apps/v1 StatefulSet': [
    {
      spec: {
        replicas: 2,
        serviceName: 'web',
        selector,
        template,
        volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: claim }],
        podManagementPolicy: 'Parallel',
        updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 1, maxUnavailable: 1 } },
        revisionHistoryLimit: 2,
        minReadySeconds: 1,
        persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Delete', whenScaled: 'Retain' },
        ordinals: { start: 1 },
      },
    },
  ],
  'apps/v1 ControllerRevision': [{ revision: 1, data: { spec: { a: 'b' } } }],
}
