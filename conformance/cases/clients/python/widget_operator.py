"""An operator of Widgets, written with the official Python client: a watch, an informer, a queue and one worker."""

import json
import logging
import os
import queue
import signal
import threading
import time
from datetime import datetime, timezone

import urllib3
from kubernetes import client
from kubernetes.informer import ADDED, DELETED, MODIFIED, SharedInformer
from kubernetes.leaderelection import electionconfig, leaderelection
from kubernetes.watch import Watch

from lease_lock import LeaseLock

GROUP, VERSION, PLURAL = "clients.example.com", "v1", "widgets"
FINALIZER = "clients.example.com/cleanup"
MANAGER = "widget-operator"
RETRY_SECONDS = 0.5
LEASE_SECONDS, RENEW_SECONDS, ELECTION_RETRY_SECONDS = 15, 10, 2


def run(namespace: str, identity: str) -> int:
    """Runs until SIGTERM; the exit code."""
    # The informer logs a stack trace for each attempt to reach a server that is away.
    logging.getLogger("kubernetes.informer").setLevel(logging.CRITICAL)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    check_rights(namespace)
    operator = WidgetOperator(namespace, stop)
    election = electionconfig.Config(
        LeaseLock(MANAGER, namespace, identity, LEASE_SECONDS),
        lease_duration=LEASE_SECONDS,
        renew_deadline=RENEW_SECONDS,
        retry_period=ELECTION_RETRY_SECONDS,
        onstarted_leading=operator.start,
        onstopped_leading=lambda: os._exit(1),
    )
    threading.Thread(target=leaderelection.LeaderElection(election).run, daemon=True).start()
    while not stop.wait(0.2):
        pass
    operator.join()
    print("stopped")
    return 0


def check_rights(namespace: str) -> None:
    """The operator must not see what it need not see."""
    try:
        client.CoreV1Api().list_namespaced_secret(namespace)
        print("secrets can be read")
    except client.ApiException as error:
        print(f"secrets: {error.status} {json.loads(error.body)['reason']}")


class WidgetOperator:
    """Every change of a Widget, or of a ConfigMap that belongs to one, puts the Widget's name into the queue."""

    def __init__(self, namespace: str, stop: threading.Event) -> None:
        self.namespace = namespace
        self.stop = stop
        self.custom = client.CustomObjectsApi()
        self.core = client.CoreV1Api()
        self.names: queue.Queue[str] = queue.Queue()
        self.worker = threading.Thread(target=self._work, daemon=True)
        self.config_maps = SharedInformer(
            self.core.list_namespaced_config_map,
            namespace=namespace,
            label_selector=f"app.kubernetes.io/managed-by={MANAGER}",
        )

    def start(self) -> None:
        print("leading")
        for event in (ADDED, MODIFIED, DELETED):
            self.config_maps.add_event_handler(event, self._config_map_changed)
        self.config_maps.start()
        threading.Thread(target=self._watch_widgets, daemon=True).start()
        self.worker.start()

    def join(self) -> None:
        if self.worker.ident is not None:
            self.config_maps.stop()
            self.worker.join()

    def _config_map_changed(self, config_map: client.V1ConfigMap) -> None:
        for owner in config_map.metadata.owner_references or []:
            if owner.controller:
                self.names.put(owner.name)

    def _watch_widgets(self) -> None:
        """Lists once, and goes on from the last version it saw for as long as the server has its history."""
        place = (GROUP, VERSION, self.namespace, PLURAL)
        version = None
        while not self.stop.is_set():
            watch = Watch()
            try:
                if version is None:
                    listed = self.custom.list_namespaced_custom_object(*place)
                    version = listed["metadata"]["resourceVersion"]
                    for widget in listed["items"]:
                        self.names.put(widget["metadata"]["name"])
                events = watch.stream(
                    self.custom.list_namespaced_custom_object,
                    *place,
                    resource_version=version,
                    allow_watch_bookmarks=True,
                )
                for event in events:
                    if event["type"] != "BOOKMARK":
                        self.names.put(event["object"]["metadata"]["name"])
            except client.ApiException as error:
                print(f"watch: {error.status}")
                if error.status == 410:
                    watch.resource_version = version = None
            except (urllib3.exceptions.HTTPError, OSError) as error:
                print(f"watch: {type(error).__name__}")
            version = watch.resource_version or version
            self.stop.wait(RETRY_SECONDS)

    def _work(self) -> None:
        while not self.stop.is_set():
            try:
                name = self.names.get(timeout=RETRY_SECONDS)
            except queue.Empty:
                continue
            try:
                self._reconcile(name)
            except (client.ApiException, urllib3.exceptions.HTTPError) as error:
                print(f"{name} is tried again: {error}")
                time.sleep(RETRY_SECONDS)
                self.names.put(name)

    def _reconcile(self, name: str) -> None:
        place = (GROUP, VERSION, self.namespace, PLURAL, name)
        try:
            widget = self.custom.get_namespaced_custom_object(*place)
        except client.ApiException as error:
            if error.status == 404:
                return
            raise
        metadata = widget["metadata"]
        finalizers = metadata.get("finalizers", [])
        if "deletionTimestamp" in metadata:
            if FINALIZER in finalizers:
                self._clean_up(name)
                self._set_finalizers(metadata, [each for each in finalizers if each != FINALIZER])
        elif FINALIZER not in finalizers:
            self._set_finalizers(metadata, [*finalizers, FINALIZER])
        else:
            self._apply_parts(widget)
            self._report(widget)

    def _set_finalizers(self, metadata: dict, finalizers: list[str]) -> None:
        body = {"metadata": {"resourceVersion": metadata["resourceVersion"], "finalizers": finalizers}}
        self.custom.patch_namespaced_custom_object(
            GROUP, VERSION, self.namespace, PLURAL, metadata["name"], body, _content_type="application/merge-patch+json"
        )

    def _apply_parts(self, widget: dict) -> None:
        """Create or update, as most operators in Python do; nothing is written that is there already."""
        name = f"{widget['metadata']['name']}-parts"
        data = {f"part-{index}": widget["spec"]["message"] for index in range(widget["spec"]["size"])}
        try:
            config_map = self.core.read_namespaced_config_map(name, self.namespace)
            if (config_map.data or {}) != data:
                config_map.data = data
                self.core.replace_namespaced_config_map(name, self.namespace, config_map)
        except client.ApiException as error:
            if error.status != 404:
                raise
            owner = client.V1OwnerReference(
                api_version=f"{GROUP}/{VERSION}",
                kind="Widget",
                name=widget["metadata"]["name"],
                uid=widget["metadata"]["uid"],
                controller=True,
                block_owner_deletion=True,
            )
            labels = {"app.kubernetes.io/managed-by": MANAGER}
            metadata = client.V1ObjectMeta(name=name, labels=labels, owner_references=[owner])
            self.core.create_namespaced_config_map(self.namespace, client.V1ConfigMap(metadata=metadata, data=data))

    def _report(self, widget: dict) -> None:
        size, generation = widget["spec"]["size"], widget["metadata"]["generation"]
        status = widget.get("status", {})
        if status.get("observedGeneration") == generation and status.get("phase") == "Ready":
            return
        ready = next((each for each in status.get("conditions", []) if each["type"] == "Ready"), {})
        condition = {
            "type": "Ready",
            "status": "True",
            "reason": "Reconciled",
            "message": f"{size} parts",
            "observedGeneration": generation,
            "lastTransitionTime": ready.get("lastTransitionTime", datetime.now(timezone.utc).isoformat()),
        }
        reported = {"phase": "Ready", "parts": size, "observedGeneration": generation, "conditions": [condition]}
        self.custom.patch_namespaced_custom_object_status(
            GROUP, VERSION, self.namespace, PLURAL, widget["metadata"]["name"], {"status": reported}
        )
        self._record(widget, f"{size} parts are there")

    def _record(self, widget: dict, message: str) -> None:
        now = datetime.now(timezone.utc)
        metadata = widget["metadata"]
        reference = client.V1ObjectReference(
            api_version=widget["apiVersion"],
            kind=widget["kind"],
            name=metadata["name"],
            namespace=metadata["namespace"],
            uid=metadata["uid"],
            resource_version=metadata["resourceVersion"],
        )
        event = client.CoreV1Event(
            metadata=client.V1ObjectMeta(generate_name=f"{metadata['name']}."),
            involved_object=reference,
            type="Normal",
            reason="Reconciled",
            message=message,
            source=client.V1EventSource(component=MANAGER),
            first_timestamp=now,
            last_timestamp=now,
            count=1,
        )
        self.core.create_namespaced_event(self.namespace, event)

    def _clean_up(self, name: str) -> None:
        body = {"data": {name: "cleaned"}}
        try:
            self.core.patch_namespaced_config_map("cleanup", self.namespace, body)
        except client.ApiException as error:
            if error.status != 404:
                raise
            self.core.create_namespaced_config_map(self.namespace, {"metadata": {"name": "cleanup"}, **body})
