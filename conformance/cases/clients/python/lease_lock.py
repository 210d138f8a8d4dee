"""The library's leader election keeps its record in a ConfigMap; this lock keeps it in a Lease."""

import json
from datetime import datetime, timezone

import urllib3
from kubernetes import client
from kubernetes.leaderelection.leaderelectionrecord import LeaderElectionRecord


class LeaseLock:
    """What `kubernetes.leaderelection` asks of a lock. A server that does not answer is a refusal, not an end."""

    def __init__(self, name: str, namespace: str, identity: str, seconds: int) -> None:
        self.api = client.CoordinationV1Api()
        self.name = name
        self.namespace = namespace
        self.identity = identity
        self.seconds = seconds
        self.lease = None

    def get(self, name: str, namespace: str):
        try:
            self.lease = self.api.read_namespaced_lease(name, namespace)
        except client.ApiException as error:
            return False, error
        except urllib3.exceptions.HTTPError as error:
            refusal = client.ApiException(status=503, reason=str(error))
            refusal.body = json.dumps({"code": 503})
            return False, refusal
        spec = self.lease.spec
        if not spec.holder_identity:
            return True, None
        times = (str(spec.acquire_time), str(spec.renew_time))
        return True, LeaderElectionRecord(spec.holder_identity, spec.lease_duration_seconds, *times)

    def create(self, name: str, namespace: str, election_record: LeaderElectionRecord) -> bool:
        now = datetime.now(timezone.utc)
        lease = client.V1Lease(metadata=client.V1ObjectMeta(name=name), spec=self._spec(now, now, 0))
        return self._succeeds(lambda: self.api.create_namespaced_lease(namespace, lease))

    def update(self, name: str, namespace: str, updated_record: LeaderElectionRecord) -> bool:
        now = datetime.now(timezone.utc)
        spec = self.lease.spec
        kept = spec.holder_identity == self.identity
        transitions = (spec.lease_transitions or 0) + (0 if kept else 1)
        self.lease.spec = self._spec(spec.acquire_time if kept else now, now, transitions)
        return self._succeeds(lambda: self.api.replace_namespaced_lease(name, namespace, self.lease))

    def _spec(self, acquired: datetime, renewed: datetime, transitions: int) -> client.V1LeaseSpec:
        return client.V1LeaseSpec(
            holder_identity=self.identity,
            lease_duration_seconds=self.seconds,
            acquire_time=acquired,
            renew_time=renewed,
            lease_transitions=transitions,
        )

    @staticmethod
    def _succeeds(write) -> bool:
        try:
            write()
            return True
        except (client.ApiException, urllib3.exceptions.HTTPError):
            return False
