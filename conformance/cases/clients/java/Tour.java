import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.DeletionPropagation;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.ListOptionsBuilder;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.OwnerReferenceBuilder;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.fabric8.kubernetes.api.model.Status;
import io.fabric8.kubernetes.api.model.StatusCause;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.DeploymentBuilder;
import io.fabric8.kubernetes.api.model.coordination.v1.LeaseBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.Watcher;
import io.fabric8.kubernetes.client.WatcherException;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import java.io.ByteArrayOutputStream;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** What else clients are asked to do, with fabric8: one line for each thing that works, or does not. */
final class Tour {
    private static final String GROUP = "clients.example.com";
    private static final String API = GROUP + "/v1";
    private static final int SECONDS_MAX = 10;

    private interface Station {
        void look() throws Exception;
    }

    private final KubernetesClient client;
    private final String namespace;
    /** A resourceVersion whose history is forgotten. */
    private final String expired;

    Tour(KubernetesClient client, String namespace, String expired) {
        this.client = client;
        this.namespace = namespace;
        this.expired = expired;
    }

    /** The exit code. */
    int take() {
        Map<String, Station> stations = new LinkedHashMap<>();
        stations.put("pages", this::pages);
        stations.put("selectors", this::selectors);
        stations.put("patches", this::patches);
        stations.put("apply", this::apply);
        stations.put("errors", this::errors);
        stations.put("deletion", this::deletion);
        stations.put("scale", this::scale);
        stations.put("status", this::status);
        stations.put("streams", this::streams);
        stations.put("expiry", this::expiry);
        stations.put("discovery", this::discovery);
        stations.put("dynamic", this::dynamic);
        stations.put("times", this::times);
        int failures = 0;
        for (var station : stations.entrySet()) {
            try {
                station.getValue().look();
                System.out.println("ok " + station.getKey());
            } catch (Exception | AssertionError error) {
                failures++;
                System.out.println("failed " + station.getKey() + ": " + error);
                error.printStackTrace();
            }
        }
        return failures == 0 ? 0 : 1;
    }

    private void pages() {
        for (int index = 0; index < 25; index++) {
            client.resource(new SecretBuilder().withMetadata(named("page-" + index)).build()).create();
        }
        Set<String> names = new HashSet<>();
        List<Long> remaining = new ArrayList<>();
        String token = null;
        do {
            var options = new ListOptionsBuilder().withLimit(10L).withContinue(token).build();
            var page = client.secrets().inNamespace(namespace).list(options);
            page.getItems().forEach(secret -> names.add(secret.getMetadata().getName()));
            remaining.add(Objects.requireNonNullElse(page.getMetadata().getRemainingItemCount(), 0L));
            token = page.getMetadata().getContinue();
        } while (token != null && !token.isEmpty());
        equal(names.size(), 25);
        equal(remaining, List.of(15L, 5L, 0L));
    }

    private void selectors() {
        for (String number : List.of("1", "2", "3")) {
            var metadata = new ObjectMetaBuilder(named("chosen-" + number)).addToLabels("n", number).build();
            client.resource(new ConfigMapBuilder().withMetadata(metadata).build()).create();
        }
        var configMaps = client.configMaps().inNamespace(namespace);
        equal(namesOf(configMaps.withLabelIn("n", "1", "3").list().getItems()), List.of("chosen-1", "chosen-3"));
        equal(namesOf(configMaps.withField("metadata.name", "chosen-2").list().getItems()), List.of("chosen-2"));
        for (String message : List.of("red", "blue")) {
            client.resource(widget(message)).create();
        }
        var blue = client.resources(Widget.class).inNamespace(namespace).withField("spec.message", "blue").list();
        equal(namesOf(blue.getItems()), List.of("blue"));
    }

    private void patches() {
        client.resource(deployment("patched", 0)).create();
        String containers =
                "{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"side\",\"image\":\"side:1\"}]}}}}";
        String path = "/spec/template/spec/containers/0/image";
        String operation = "[{\"op\":\"replace\",\"path\":\"" + path + "\",\"value\":\"side:2\"}]";
        equal(imagesAfter(PatchType.STRATEGIC_MERGE, containers), List.of("side:1", "web:1"));
        equal(imagesAfter(PatchType.JSON_MERGE, containers), List.of("side:1"));
        equal(imagesAfter(PatchType.JSON, operation), List.of("side:2"));
    }

    private List<String> imagesAfter(PatchType type, String body) {
        var resource = client.apps().deployments().inNamespace(namespace).withName("patched");
        Deployment patched = resource.patch(PatchContext.of(type), body);
        return patched.getSpec().getTemplate().getSpec().getContainers().stream()
                .map(container -> container.getImage())
                .toList();
    }

    private void apply() {
        applyAs("first", Map.of("a", "1", "b", "1"), false);
        Status refused = statusOf(() -> applyAs("second", Map.of("a", "2"), false));
        equal(refused.getCode(), 409);
        equal(refused.getDetails().getCauses().get(0).getReason(), "FieldManagerConflict");
        applyAs("second", Map.of("a", "2"), true);
        equal(applyAs("first", Map.of(), false).getData(), Map.of("a", "2"));
    }

    private ConfigMap applyAs(String manager, Map<String, String> data, boolean force) {
        var configMap = new ConfigMapBuilder().withMetadata(named("applied")).withData(data).build();
        var resource = client.resource(configMap);
        return force
                ? resource.fieldManager(manager).forceConflicts().serverSideApply()
                : resource.fieldManager(manager).serverSideApply();
    }

    private void errors() {
        equal(client.configMaps().inNamespace(namespace).withName("missing").get(), null);
        var merge = PatchContext.of(PatchType.JSON_MERGE);
        var absent = client.configMaps().inNamespace(namespace).withName("missing");
        Status missing = statusOf(() -> absent.patch(merge, "{}"));
        equal(List.of(missing.getCode(), missing.getReason()), List.of(404, "NotFound"));
        var twice = new ConfigMapBuilder().withMetadata(named("twice")).build();
        ConfigMap created = client.resource(twice).create();
        Status second = statusOf(() -> client.resource(twice).create());
        equal(List.of(second.getCode(), second.getReason()), List.of(409, "AlreadyExists"));
        client.resource(new ConfigMapBuilder(created).addToData("a", "1").build()).update();
        Status stale = statusOf(() -> client.resource(created).lockResourceVersion().update());
        equal(List.of(stale.getCode(), stale.getReason()), List.of(409, "Conflict"));
        Status invalid = statusOf(() -> client.resource(deployment("Not A Name", -1)).create());
        equal(List.of(invalid.getCode(), invalid.getReason()), List.of(422, "Invalid"));
        var fields = invalid.getDetails().getCauses().stream().map(StatusCause::getField).toList();
        equal(fields, List.of("metadata.name", "spec.replicas"));
    }

    private void deletion() {
        ConfigMap owner = createPair("foreground");
        Status refused = statusOf(() -> client.resource(owner).lockResourceVersion("1").delete());
        equal(refused.getCode(), 409);
        client.resource(owner).withPropagationPolicy(DeletionPropagation.FOREGROUND).delete();
        eventually(() -> left("foreground").isEmpty());
        client.resource(createPair("orphan")).withPropagationPolicy(DeletionPropagation.ORPHAN).delete();
        eventually(() -> left("orphan").equals(List.of("orphan-owned")));
        ConfigMap orphan = client.configMaps().inNamespace(namespace).withName("orphan-owned").get();
        equal(orphan.getMetadata().getOwnerReferences(), List.of());
    }

    private ConfigMap createPair(String name) {
        ConfigMap owner = client.resource(new ConfigMapBuilder().withMetadata(named(name)).build()).create();
        var reference = new OwnerReferenceBuilder()
                .withApiVersion("v1")
                .withKind("ConfigMap")
                .withName(name)
                .withUid(owner.getMetadata().getUid())
                .withBlockOwnerDeletion(true)
                .build();
        var metadata = new ObjectMetaBuilder(named(name + "-owned")).withOwnerReferences(reference).build();
        client.resource(new ConfigMapBuilder().withMetadata(metadata).build()).create();
        return owner;
    }

    private List<String> left(String prefix) {
        var configMaps = client.configMaps().inNamespace(namespace).list().getItems();
        return namesOf(configMaps).stream().filter(name -> name.startsWith(prefix)).toList();
    }

    private void scale() {
        client.resource(deployment("scaled", 0)).create();
        var resource = client.apps().deployments().inNamespace(namespace).withName("scaled");
        resource.scale(2);
        eventually(() -> resource.scale().getStatus().getReplicas() == 2);
        client.resource(widget("scaled")).create();
        var widgets = client.resources(Widget.class).inNamespace(namespace).withName("scaled");
        widgets.scale(7);
        equal(widgets.get().getSpec().size, 7);
    }

    private void status() {
        Widget created = client.resource(widget("told")).create();
        long generation = created.getMetadata().getGeneration();
        created.getSpec().message = "ignored";
        created.setStatus(new WidgetStatus());
        created.getStatus().phase = "Told";
        Widget updated = client.resource(created).updateStatus();
        equal(updated.getStatus().phase, "Told");
        equal(updated.getSpec().message, "told");
        equal(updated.getMetadata().getGeneration(), generation);
    }

    private void streams() throws Exception {
        var pod = new PodBuilder()
                .withMetadata(named("streams"))
                .withNewSpec()
                .addNewContainer()
                .withName("main")
                .withImage("web:1")
                .endContainer()
                .endSpec()
                .build();
        client.resource(pod).create();
        var resource = client.pods().inNamespace(namespace).withName("streams");
        resource.waitUntilReady(SECONDS_MAX, TimeUnit.SECONDS);
        Objects.requireNonNull(resource.inContainer("main").tailingLines(5).getLog());
        var output = new ByteArrayOutputStream();
        try (var running = resource.inContainer("main").writingOutput(output).exec("true")) {
            equal(running.exitCode().get(SECONDS_MAX, TimeUnit.SECONDS), 0);
        }
    }

    private void expiry() throws Exception {
        CompletableFuture<Boolean> gone = new CompletableFuture<>();
        var options = new ListOptionsBuilder().withResourceVersion(expired).build();
        try (var watch = client.resources(Widget.class).inNamespace(namespace).watch(options, new Watcher<Widget>() {
            @Override
            public void eventReceived(Action action, Widget widget) {
                gone.completeExceptionally(new AssertionError("there is an event: " + action));
            }

            @Override
            public void onClose(WatcherException cause) {
                gone.complete(cause.isHttpGone());
            }
        })) {
            equal(gone.get(SECONDS_MAX, TimeUnit.SECONDS), true);
        }
    }

    private void discovery() {
        equal(client.getKubernetesVersion().getMinor(), "36");
        equal(client.getApiGroup(GROUP).getPreferredVersion().getGroupVersion(), API);
        var resources = client.getApiResources(API).getResources().stream()
                .map(resource -> resource.getName())
                .sorted()
                .toList();
        equal(resources, List.of("widgets", "widgets/scale", "widgets/status"));
        var definitions = client.apiextensions().v1().customResourceDefinitions();
        var definition = definitions.withName("widgets." + GROUP).get();
        equal(definition.getStatus().getAcceptedNames().getKind(), "Widget");
    }

    private void dynamic() {
        GenericKubernetesResource object = new GenericKubernetesResource();
        object.setApiVersion(API);
        object.setKind("Widget");
        object.setMetadata(named("dynamic"));
        object.setAdditionalProperty("spec", Map.of("message", "dynamic"));
        client.resource(object).create();
        var resource = client.genericKubernetesResources(API, "Widget").inNamespace(namespace).withName("dynamic");
        equal(resource.get().<Integer>get("spec", "size"), 1);
        resource.delete();
        equal(resource.get(), null);
    }

    private void times() {
        var created = client.namespaces().withName(namespace).get().getMetadata().getCreationTimestamp();
        Duration age = Duration.between(Instant.parse(created), Instant.now());
        equal(age.toHours(), 0L);
        ZonedDateTime renewed = ZonedDateTime.of(2026, 1, 2, 3, 4, 5, 678_901_000, ZoneOffset.UTC);
        var lease = new LeaseBuilder().withMetadata(named("timed")).withNewSpec().withRenewTime(renewed).endSpec().build();
        equal(client.resource(lease).create().getSpec().getRenewTime().toInstant(), renewed.toInstant());
    }

    private ObjectMeta named(String name) {
        return new ObjectMetaBuilder().withName(name).withNamespace(namespace).build();
    }

    private Widget widget(String name) {
        Widget widget = new Widget();
        widget.setMetadata(named(name));
        widget.setSpec(new WidgetSpec());
        widget.getSpec().size = 1;
        widget.getSpec().message = name;
        return widget;
    }

    private Deployment deployment(String name, int replicas) {
        return new DeploymentBuilder()
                .withMetadata(named(name))
                .withNewSpec()
                .withReplicas(replicas)
                .withNewSelector()
                .addToMatchLabels("app", "tour")
                .endSelector()
                .withNewTemplate()
                .withNewMetadata()
                .addToLabels("app", "tour")
                .endMetadata()
                .withNewSpec()
                .addNewContainer()
                .withName("web")
                .withImage("web:1")
                .endContainer()
                .endSpec()
                .endTemplate()
                .endSpec()
                .build();
    }

    private static List<String> namesOf(List<? extends HasMetadata> objects) {
        return objects.stream().map(object -> object.getMetadata().getName()).sorted().toList();
    }

    /** The Status of a call that must fail. */
    private static Status statusOf(Station call) {
        try {
            call.look();
        } catch (KubernetesClientException error) {
            return error.getStatus();
        } catch (Exception other) {
            throw new AssertionError(other);
        }
        throw new AssertionError("this should have failed");
    }

    private static void equal(Object found, Object expected) {
        if (!Objects.equals(found, expected)) {
            throw new AssertionError("found " + found + ", expected " + expected);
        }
    }

    private static void eventually(BooleanSupplier holds) {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS_MAX);
        while (!holds.getAsBoolean()) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError("it does not come to that");
            }
            try {
                Thread.sleep(100);
            } catch (InterruptedException interrupted) {
                throw new AssertionError(interrupted);
            }
        }
    }
}
