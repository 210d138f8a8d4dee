import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.OwnerReference;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.extended.leaderelection.LeaderCallbacks;
import io.fabric8.kubernetes.client.extended.leaderelection.LeaderElectionConfigBuilder;
import io.fabric8.kubernetes.client.extended.leaderelection.resourcelock.LeaseLock;
import io.fabric8.kubernetes.client.informers.ResourceEventHandler;
import io.fabric8.kubernetes.client.informers.SharedIndexInformer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;

/** An operator of Widgets, written with fabric8's informers and its leader election. */
final class WidgetOperator {
    static final String MANAGER = "widget-operator";
    static final String MANAGED_BY = "app.kubernetes.io/managed-by";
    private static final long RESYNC_MS = 30_000;

    private final KubernetesClient client;
    private final String namespace;
    private final String identity;
    private final CountDownLatch stopping = new CountDownLatch(1);
    private final WorkQueue queue;
    private final List<SharedIndexInformer<?>> informers = new ArrayList<>();

    WidgetOperator(KubernetesClient client, String namespace, String identity) {
        this.client = client;
        this.namespace = namespace;
        this.identity = identity;
        queue = new WorkQueue(new Reconciler(client, namespace)::reconcile);
    }

    /** Returns after SIGTERM, with which a Java program ends as 143. */
    void run() throws Exception {
        Thread main = Thread.currentThread();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            stopping.countDown();
            try {
                main.join();
            } catch (InterruptedException interrupted) {
                Thread.currentThread().interrupt();
            }
        }));
        checkRights();
        var election = client.leaderElector()
                .withConfig(new LeaderElectionConfigBuilder()
                        .withName(MANAGER)
                        .withLock(new LeaseLock(namespace, MANAGER, identity))
                        .withLeaseDuration(Duration.ofSeconds(15))
                        .withRenewDeadline(Duration.ofSeconds(10))
                        .withRetryPeriod(Duration.ofSeconds(2))
                        .withReleaseOnCancel(true)
                        .withLeaderCallbacks(new LeaderCallbacks(this::lead, this::lose, leader -> {}))
                        .build())
                .build()
                .start();
        stopping.await();
        synchronized (informers) {
            informers.forEach(SharedIndexInformer::stop);
        }
        queue.stop();
        election.cancel(true);
        System.out.println("stopped");
    }

    /** The operator must not see what it need not see. */
    private void checkRights() {
        try {
            client.secrets().inNamespace(namespace).list();
            System.out.println("secrets can be read");
        } catch (KubernetesClientException error) {
            System.out.println("secrets: " + error.getCode() + " " + error.getStatus().getReason());
        }
    }

    private void lead() {
        System.out.println("leading");
        synchronized (informers) {
            informers.add(client.resources(Widget.class)
                    .inNamespace(namespace)
                    .inform(new OnChange<>(widget -> queue.add(widget.getMetadata().getName())), RESYNC_MS));
            informers.add(client.configMaps()
                    .inNamespace(namespace)
                    .withLabel(MANAGED_BY, MANAGER)
                    .inform(new OnChange<ConfigMap>(this::addOwner), RESYNC_MS));
        }
    }

    private void lose() {
        if (stopping.getCount() > 0) {
            System.err.println("leadership is lost");
            Runtime.getRuntime().halt(1);
        }
    }

    private void addOwner(ConfigMap configMap) {
        configMap.getMetadata().getOwnerReferences().stream()
                .filter(owner -> Boolean.TRUE.equals(owner.getController()))
                .map(OwnerReference::getName)
                .forEach(queue::add);
    }

    private record OnChange<T extends HasMetadata>(Consumer<T> changed) implements ResourceEventHandler<T> {
        @Override
        public void onAdd(T object) {
            changed.accept(object);
        }

        @Override
        public void onUpdate(T before, T after) {
            changed.accept(after);
        }

        @Override
        public void onDelete(T object, boolean finalStateUnknown) {
            changed.accept(object);
        }
    }
}
