import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** Keys that wait for one worker: a key waits once, and comes again a moment after it failed. */
final class WorkQueue {
    private static final int RETRY_MS = 500;

    private final ScheduledExecutorService worker = Executors.newSingleThreadScheduledExecutor();
    private final Set<String> waiting = ConcurrentHashMap.newKeySet();
    private final Consumer<String> work;

    WorkQueue(Consumer<String> work) {
        this.work = work;
    }

    void add(String key) {
        addLater(key, 0);
    }

    void stop() throws InterruptedException {
        worker.shutdownNow();
        worker.awaitTermination(10, TimeUnit.SECONDS);
    }

    private void addLater(String key, int delayMs) {
        if (worker.isShutdown() || !waiting.add(key)) {
            return;
        }
        worker.schedule(() -> run(key), delayMs, TimeUnit.MILLISECONDS);
    }

    private void run(String key) {
        waiting.remove(key);
        try {
            work.accept(key);
        } catch (RuntimeException error) {
            System.err.println(key + " is tried again: " + error.getMessage());
            addLater(key, RETRY_MS);
        }
    }
}
