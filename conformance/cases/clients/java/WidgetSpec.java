/** How many parts a widget has, and what each of them says. */
public final class WidgetSpec {
    public int size;
    public String message;
}
