import com.fasterxml.jackson.annotation.JsonInclude;
import io.fabric8.kubernetes.api.model.Condition;
import java.util.List;

/** What the operator reports. */
@JsonInclude(JsonInclude.Include.NON_NULL)
public final class WidgetStatus {
    public String phase;
    public Integer parts;
    public Long observedGeneration;
    public List<Condition> conditions;
}
