"""What else clients are asked to do, with the official Python client: one line for each thing that works, or does not."""

import json
import time
import traceback
from datetime import datetime, timedelta, timezone

from kubernetes import client, dynamic, watch
from kubernetes.client import ApiException
from kubernetes.stream import stream

GROUP, VERSION, PLURAL = "clients.example.com", "v1", "widgets"
MERGE = "application/merge-patch+json"


class Tour:
    """Every station is a method; they are visited in this order."""

    STATIONS = (
        *("pages", "selectors", "patches", "apply", "errors", "deletion", "scale", "status", "streams", "expiry"),
        *("discovery", "dynamic", "times"),
    )

    def __init__(self, namespace: str, expired: str) -> None:
        self.namespace = namespace
        self.expired = expired
        self.core = client.CoreV1Api()
        self.apps = client.AppsV1Api()
        self.custom = client.CustomObjectsApi()

    def take(self) -> int:
        failures = 0
        for station in self.STATIONS:
            try:
                getattr(self, station)()
                print(f"ok {station}")
            except Exception:
                failures += 1
                print(f"failed {station}: {traceback.format_exc()}")
        return 1 if failures else 0

    def pages(self) -> None:
        for index in range(25):
            self.core.create_namespaced_secret(self.namespace, named(f"page-{index}"))
        names, remaining, token = set(), [], None
        while token != "":
            page = self.core.list_namespaced_secret(self.namespace, limit=10, _continue=token)
            names.update(item.metadata.name for item in page.items)
            remaining.append(page.metadata.remaining_item_count)
            token = page.metadata._continue or ""
        assert len(names) == 25, names
        assert remaining == [15, 5, None], remaining

    def selectors(self) -> None:
        for number in "123":
            body = {"metadata": {"name": f"chosen-{number}", "labels": {"n": number}}}
            self.core.create_namespaced_config_map(self.namespace, body)
        by_label = self.core.list_namespaced_config_map(self.namespace, label_selector="n in (1,3)")
        assert names_of(by_label) == ["chosen-1", "chosen-3"]
        by_field = self.core.list_namespaced_config_map(self.namespace, field_selector="metadata.name=chosen-2")
        assert names_of(by_field) == ["chosen-2"]
        for message in ("red", "blue"):
            self._create_widget(message)
        place = (GROUP, VERSION, self.namespace, PLURAL)
        blue = self.custom.list_namespaced_custom_object(*place, field_selector="spec.message=blue")
        assert [item["metadata"]["name"] for item in blue["items"]] == ["blue"]

    def patches(self) -> None:
        self.apps.create_namespaced_deployment(self.namespace, deployment("patched", 0))
        containers = [{"name": "side", "image": "side:1"}]
        body = {"spec": {"template": {"spec": {"containers": containers}}}}
        two = self._patch_deployment(body, "application/strategic-merge-patch+json")
        assert len(two.spec.template.spec.containers) == 2
        one = self._patch_deployment(body, MERGE)
        assert len(one.spec.template.spec.containers) == 1
        operation = {"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "side:2"}
        json_patched = self._patch_deployment([operation], "application/json-patch+json")
        assert json_patched.spec.template.spec.containers[0].image == "side:2"

    def _patch_deployment(self, body, content_type: str) -> client.V1Deployment:
        return self.apps.patch_namespaced_deployment("patched", self.namespace, body, _content_type=content_type)

    def apply(self) -> None:
        self._apply("first", {"a": "1", "b": "1"})
        refused = status_of(lambda: self._apply("second", {"a": "2"}))
        assert refused["code"] == 409, refused
        assert refused["details"]["causes"][0]["reason"] == "FieldManagerConflict", refused
        self._apply("second", {"a": "2"}, force=True)
        assert self._apply("first", {}).data == {"a": "2"}

    def _apply(self, manager: str, data: dict, **options) -> client.V1ConfigMap:
        body = {"apiVersion": "v1", "kind": "ConfigMap", **named("applied"), "data": data}
        options = {"field_manager": manager, "_content_type": "application/apply-patch+yaml", **options}
        return self.core.patch_namespaced_config_map("applied", self.namespace, body, **options)

    def errors(self) -> None:
        missing = status_of(lambda: self.core.read_namespaced_config_map("missing", self.namespace))
        assert (missing["code"], missing["reason"]) == (404, "NotFound"), missing
        assert missing["details"]["name"] == "missing"
        created = self.core.create_namespaced_config_map(self.namespace, named("twice"))
        twice = status_of(lambda: self.core.create_namespaced_config_map(self.namespace, named("twice")))
        assert (twice["code"], twice["reason"]) == (409, "AlreadyExists"), twice
        changed = {**named("twice"), "data": {"a": "1"}}
        self.core.replace_namespaced_config_map("twice", self.namespace, changed)
        stale = status_of(lambda: self.core.replace_namespaced_config_map("twice", self.namespace, created))
        assert (stale["code"], stale["reason"]) == (409, "Conflict"), stale
        wrong = deployment("Not A Name", -1)
        invalid = status_of(lambda: self.apps.create_namespaced_deployment(self.namespace, wrong))
        assert (invalid["code"], invalid["reason"]) == (422, "Invalid"), invalid
        fields = [cause["field"] for cause in invalid["details"]["causes"]]
        assert fields == ["metadata.name", "spec.replicas"], fields

    def deletion(self) -> None:
        self._create_pair("foreground")
        wrong = client.V1DeleteOptions(preconditions=client.V1Preconditions(uid="other"))
        delete = self.core.delete_namespaced_config_map
        refused = status_of(lambda: delete("foreground", self.namespace, body=wrong))
        assert refused["code"] == 409, refused
        delete("foreground", self.namespace, propagation_policy="Foreground")
        eventually(lambda: self._left("foreground") == [])
        self._create_pair("orphan")
        delete("orphan", self.namespace, propagation_policy="Orphan")
        eventually(lambda: self._left("orphan") == ["orphan-owned"])
        orphan = self.core.read_namespaced_config_map("orphan-owned", self.namespace)
        assert orphan.metadata.owner_references is None, orphan

    def _create_pair(self, name: str) -> None:
        owner = self.core.create_namespaced_config_map(self.namespace, named(name))
        reference = client.V1OwnerReference(
            api_version="v1", kind="ConfigMap", name=name, uid=owner.metadata.uid, block_owner_deletion=True
        )
        metadata = client.V1ObjectMeta(name=f"{name}-owned", owner_references=[reference])
        self.core.create_namespaced_config_map(self.namespace, client.V1ConfigMap(metadata=metadata))

    def _left(self, name: str) -> list[str]:
        listed = self.core.list_namespaced_config_map(self.namespace)
        return [each for each in names_of(listed) if each.startswith(name)]

    def scale(self) -> None:
        self.apps.create_namespaced_deployment(self.namespace, deployment("scaled", 0))
        read = self.apps.read_namespaced_deployment_scale("scaled", self.namespace)
        read.spec.replicas = 2
        self.apps.replace_namespaced_deployment_scale("scaled", self.namespace, read)
        eventually(lambda: self.apps.read_namespaced_deployment_scale("scaled", self.namespace).status.replicas == 2)
        self._create_widget("scaled")
        place = (GROUP, VERSION, self.namespace, PLURAL, "scaled")
        body = {"spec": {"replicas": 7}}
        self.custom.patch_namespaced_custom_object_scale(*place, body, _content_type=MERGE)
        assert self.custom.get_namespaced_custom_object(*place)["spec"]["size"] == 7

    def status(self) -> None:
        created = self._create_widget("told")
        body = {**created, "spec": {"size": 9, "message": "ignored"}, "status": {"phase": "Told"}}
        place = (GROUP, VERSION, self.namespace, PLURAL, "told")
        replaced = self.custom.replace_namespaced_custom_object_status(*place, body)
        assert replaced["status"]["phase"] == "Told", replaced
        assert replaced["spec"]["message"] == "told", replaced
        assert replaced["metadata"]["generation"] == created["metadata"]["generation"], replaced

    def streams(self) -> None:
        spec = {"containers": [{"name": "main", "image": "web:1"}]}
        self.core.create_namespaced_pod(self.namespace, {**named("streams"), "spec": spec})
        eventually(lambda: self.core.read_namespaced_pod("streams", self.namespace).status.phase == "Running")
        log = self.core.read_namespaced_pod_log("streams", self.namespace, container="main", tail_lines=5)
        assert isinstance(log, str), log
        running = stream(
            self.core.connect_get_namespaced_pod_exec,
            "streams",
            self.namespace,
            command=["true"],
            stdout=True,
            stderr=True,
            _preload_content=False,
        )
        running.run_forever(timeout=10)
        assert running.returncode == 0, running.returncode

    def expiry(self) -> None:
        place = (GROUP, VERSION, self.namespace, PLURAL)
        events = watch.Watch().stream(
            self.custom.list_namespaced_custom_object, *place, resource_version=self.expired, timeout_seconds=5
        )
        try:
            found = next(iter(events))
            raise AssertionError(f"there is an event: {found}")
        except ApiException as error:
            assert error.status == 410, error
            assert error.reason.startswith("Expired: too old resource version"), error.reason

    def discovery(self) -> None:
        assert client.VersionApi().get_code().git_version.startswith("v1.36.")
        groups = [group.name for group in client.ApisApi().get_api_versions().groups]
        assert GROUP in groups, groups
        resources = self.custom.get_api_resources(GROUP, VERSION).resources
        assert sorted(each.name for each in resources) == ["widgets", "widgets/scale", "widgets/status"]
        definition = client.ApiextensionsV1Api().read_custom_resource_definition(f"{PLURAL}.{GROUP}")
        assert definition.status.accepted_names.kind == "Widget"

    def dynamic(self) -> None:
        widgets = dynamic.DynamicClient(client.ApiClient()).resources.get(
            api_version=f"{GROUP}/{VERSION}", kind="Widget"
        )
        body = {"apiVersion": f"{GROUP}/{VERSION}", "kind": "Widget", **named("dynamic"), "spec": {"message": "dynamic"}}
        created = widgets.create(body=body, namespace=self.namespace)
        assert created.spec.size == 1, created
        assert widgets.get(name="dynamic", namespace=self.namespace).spec.message == "dynamic"
        for event in widgets.watch(namespace=self.namespace, name="dynamic", timeout=5):
            assert (event["type"], event["object"].spec.message) == ("ADDED", "dynamic"), event
            break
        widgets.delete(name="dynamic", namespace=self.namespace)
        gone = widgets.get(namespace=self.namespace, field_selector="metadata.name=dynamic")
        assert gone.items == [], gone

    def times(self) -> None:
        namespace = self.core.read_namespace(self.namespace)
        age = datetime.now(timezone.utc) - namespace.metadata.creation_timestamp
        assert timedelta(seconds=-1) < age < timedelta(hours=1), age
        renewed = datetime(2026, 1, 2, 3, 4, 5, 678901, timezone.utc)
        spec = client.V1LeaseSpec(holder_identity="me", renew_time=renewed)
        body = client.V1Lease(metadata=client.V1ObjectMeta(name="timed"), spec=spec)
        lease = client.CoordinationV1Api().create_namespaced_lease(self.namespace, body)
        assert lease.spec.renew_time == renewed, lease

    def _create_widget(self, name: str) -> dict:
        body = {"apiVersion": f"{GROUP}/{VERSION}", "kind": "Widget", **named(name), "spec": {"message": name}}
        return self.custom.create_namespaced_custom_object(GROUP, VERSION, self.namespace, PLURAL, body)


def named(name: str) -> dict:
    return {"metadata": {"name": name}}


def names_of(listed) -> list[str]:
    return sorted(item.metadata.name for item in listed.items)


def deployment(name: str, replicas: int) -> dict:
    labels = {"app": "tour"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "web", "image": "web:1"}]}}
    return {**named(name), "spec": {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}}


def status_of(call) -> dict:
    """The Status of a call that must fail."""
    try:
        call()
    except ApiException as error:
        return json.loads(error.body)
    raise AssertionError("this should have failed")


def eventually(holds) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline, "it does not come to that"
        time.sleep(0.1)
