import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.ConditionBuilder;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.EventBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.Resource;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Brings one Widget where its spec wants it: by server-side apply, with edits that become JSON patches. */
final class Reconciler {
    private static final String FINALIZER = "clients.example.com/cleanup";
    private static final String CLEANUP = "cleanup";

    private final KubernetesClient client;
    private final String namespace;

    Reconciler(KubernetesClient client, String namespace) {
        this.client = client;
        this.namespace = namespace;
    }

    void reconcile(String name) {
        Resource<Widget> resource = client.resources(Widget.class).inNamespace(namespace).withName(name);
        Widget widget = resource.get();
        if (widget == null) {
            return;
        }
        if (widget.isMarkedForDeletion()) {
            if (widget.hasFinalizer(FINALIZER)) {
                cleanUp(name);
                resource.edit(edited -> {
                    edited.removeFinalizer(FINALIZER);
                    return edited;
                });
            }
        } else if (!widget.hasFinalizer(FINALIZER)) {
            resource.edit(edited -> {
                edited.addFinalizer(FINALIZER);
                return edited;
            });
        } else {
            applyParts(widget);
            report(resource, widget);
        }
    }

    private void applyParts(Widget widget) {
        Map<String, String> data = new TreeMap<>();
        for (int index = 0; index < widget.getSpec().size; index++) {
            data.put("part-" + index, widget.getSpec().message);
        }
        var configMap = new ConfigMapBuilder()
                .withNewMetadata()
                .withName(widget.getMetadata().getName() + "-parts")
                .withNamespace(namespace)
                .addToLabels(WidgetOperator.MANAGED_BY, WidgetOperator.MANAGER)
                .addNewOwnerReference()
                .withApiVersion(widget.getApiVersion())
                .withKind(widget.getKind())
                .withName(widget.getMetadata().getName())
                .withUid(widget.getMetadata().getUid())
                .withController(true)
                .withBlockOwnerDeletion(true)
                .endOwnerReference()
                .endMetadata()
                .withData(data)
                .build();
        client.resource(configMap).fieldManager(WidgetOperator.MANAGER).forceConflicts().serverSideApply();
    }

    private void report(Resource<Widget> resource, Widget widget) {
        Long generation = widget.getMetadata().getGeneration();
        WidgetStatus status = widget.getStatus();
        if (status != null && generation.equals(status.observedGeneration) && "Ready".equals(status.phase)) {
            return;
        }
        String message = widget.getSpec().size + " parts";
        resource.editStatus(edited -> {
            WidgetStatus reported = new WidgetStatus();
            reported.phase = "Ready";
            reported.parts = widget.getSpec().size;
            reported.observedGeneration = generation;
            reported.conditions = List.of(readyCondition(status, generation, message));
            edited.setStatus(reported);
            return edited;
        });
        record(widget, message + " are there");
    }

    private static Condition readyCondition(WidgetStatus status, Long generation, String message) {
        String since = status == null || status.conditions == null || status.conditions.isEmpty()
                ? now()
                : status.conditions.get(0).getLastTransitionTime();
        return new ConditionBuilder()
                .withType("Ready")
                .withStatus("True")
                .withReason("Reconciled")
                .withMessage(message)
                .withObservedGeneration(generation)
                .withLastTransitionTime(since)
                .build();
    }

    private void record(Widget widget, String message) {
        var event = new EventBuilder()
                .withNewMetadata()
                .withGenerateName(widget.getMetadata().getName() + ".")
                .withNamespace(namespace)
                .endMetadata()
                .withNewInvolvedObject()
                .withApiVersion(widget.getApiVersion())
                .withKind(widget.getKind())
                .withName(widget.getMetadata().getName())
                .withNamespace(namespace)
                .withUid(widget.getMetadata().getUid())
                .endInvolvedObject()
                .withType("Normal")
                .withReason("Reconciled")
                .withMessage(message)
                .withNewSource(WidgetOperator.MANAGER, null)
                .withFirstTimestamp(now())
                .withLastTimestamp(now())
                .withCount(1)
                .build();
        client.resource(event).create();
    }

    private void cleanUp(String name) {
        var cleaned = new ConfigMapBuilder()
                .withNewMetadata()
                .withName(CLEANUP)
                .withNamespace(namespace)
                .endMetadata()
                .addToData(name, "cleaned")
                .build();
        try {
            client.configMaps()
                    .inNamespace(namespace)
                    .withName(CLEANUP)
                    .patch(PatchContext.of(PatchType.JSON_MERGE), "{\"data\":{\"" + name + "\":\"cleaned\"}}");
        } catch (KubernetesClientException error) {
            if (error.getCode() != 404) {
                throw error;
            }
            client.resource(cleaned).create();
        }
    }

    private static String now() {
        return Instant.now().truncatedTo(ChronoUnit.SECONDS).toString();
    }
}
