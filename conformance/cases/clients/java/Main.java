import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;

/** {@code Main operator}: NAMESPACE and IDENTITY say where and as whom. {@code Main tour}: what else clients are asked. */
public final class Main {
    private Main() {}

    public static void main(String[] arguments) throws Exception {
        String namespace = System.getenv("NAMESPACE");
        try (KubernetesClient client = new KubernetesClientBuilder().build()) {
            switch (arguments[0]) {
                case "operator" -> new WidgetOperator(client, namespace, System.getenv("IDENTITY")).run();
                case "tour" -> System.exit(new Tour(client, namespace, System.getenv("EXPIRED")).take());
                default -> throw new IllegalArgumentException("there is no " + arguments[0]);
            }
        }
    }
}
