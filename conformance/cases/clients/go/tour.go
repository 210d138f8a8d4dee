package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/remotecommand"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// tour is what the stations share: the typed client, and controller-runtime's.
type tour struct {
	client.Client
	config    *rest.Config
	clientset *kubernetes.Clientset
	namespace string
	// A resourceVersion whose history is forgotten.
	expired string
}

type station struct {
	name string
	look func(*tour, context.Context) error
}

var stations = []station{
	{"pages", (*tour).pages},
	{"selectors", (*tour).selectors},
	{"patches", (*tour).patches},
	{"apply", (*tour).apply},
	{"errors", (*tour).errors},
	{"deletion", (*tour).deletion},
	{"scale", (*tour).scale},
	{"status", (*tour).status},
	{"streams", (*tour).streams},
	{"expiry", (*tour).expiry},
	{"discovery", (*tour).discovery},
	{"dynamic", (*tour).dynamic},
	{"times", (*tour).times},
	{"protobuf", (*tour).protobuf},
}

// takeTour prints one line for each station that works, or does not.
func takeTour(ctx context.Context, config *rest.Config, namespace, expired string) error {
	scheme, err := newScheme()
	if err != nil {
		return err
	}
	direct, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		return err
	}
	clientset, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	visitor := &tour{Client: direct, config: config, clientset: clientset, namespace: namespace, expired: expired}
	var failures error
	for _, station := range stations {
		if err := station.look(visitor, ctx); err != nil {
			failures = errors.Join(failures, err)
			fmt.Printf("failed %s: %v\n", station.name, err)
		} else {
			fmt.Printf("ok %s\n", station.name)
		}
	}
	return failures
}

func (tour *tour) pages(ctx context.Context) error {
	for index := range 25 {
		secret := &corev1.Secret{ObjectMeta: tour.named(fmt.Sprintf("page-%d", index))}
		if err := tour.Create(ctx, secret); err != nil {
			return err
		}
	}
	names := map[string]bool{}
	var remaining []int64
	page := &corev1.SecretList{}
	for {
		err := tour.List(ctx, page, client.InNamespace(tour.namespace), client.Limit(10), client.Continue(page.Continue))
		if err != nil {
			return err
		}
		for _, secret := range page.Items {
			names[secret.Name] = true
		}
		remaining = append(remaining, ptr.Deref(page.RemainingItemCount, 0))
		if page.Continue == "" {
			break
		}
	}
	return errors.Join(equal(len(names), 25), equal(remaining, []int64{15, 5, 0}))
}

func (tour *tour) selectors(ctx context.Context) error {
	for _, number := range []string{"1", "2", "3"} {
		configMap := &corev1.ConfigMap{ObjectMeta: tour.named("chosen-" + number)}
		configMap.Labels = map[string]string{"n": number}
		if err := tour.Create(ctx, configMap); err != nil {
			return err
		}
	}
	api := tour.clientset.CoreV1().ConfigMaps(tour.namespace)
	byLabel, err := api.List(ctx, metav1.ListOptions{LabelSelector: "n in (1,3)"})
	if err != nil {
		return err
	}
	byField, err := api.List(ctx, metav1.ListOptions{FieldSelector: "metadata.name=chosen-2"})
	if err != nil {
		return err
	}
	for _, message := range []string{"red", "blue"} {
		if err := tour.Create(ctx, tour.widget(message)); err != nil {
			return err
		}
	}
	blue := &WidgetList{}
	matching := client.MatchingFields{"spec.message": "blue"}
	if err := tour.List(ctx, blue, client.InNamespace(tour.namespace), matching); err != nil {
		return err
	}
	return errors.Join(
		equal(namesOf(byLabel.Items), []string{"chosen-1", "chosen-3"}),
		equal(namesOf(byField.Items), []string{"chosen-2"}),
		equal(len(blue.Items), 1),
	)
}

func (tour *tour) patches(ctx context.Context) error {
	deployment := tour.deployment("patched", 0)
	if err := tour.Create(ctx, deployment); err != nil {
		return err
	}
	containers := `{"spec":{"template":{"spec":{"containers":[{"name":"side","image":"side:1"}]}}}}`
	operation := `[{"op":"replace","path":"/spec/template/spec/containers/0/image","value":"side:2"}]`
	for _, patch := range []struct {
		kind  types.PatchType
		body  string
		image string
		count int
	}{
		{types.StrategicMergePatchType, containers, "side:1", 2},
		{types.MergePatchType, containers, "side:1", 1},
		{types.JSONPatchType, operation, "side:2", 1},
	} {
		if err := tour.Patch(ctx, deployment, client.RawPatch(patch.kind, []byte(patch.body))); err != nil {
			return err
		}
		patched := deployment.Spec.Template.Spec.Containers
		if err := errors.Join(equal(len(patched), patch.count), equal(patched[0].Image, patch.image)); err != nil {
			return fmt.Errorf("%s: %w", patch.kind, err)
		}
	}
	return nil
}

func (tour *tour) apply(ctx context.Context) error {
	applyAs := func(manager string, data map[string]string, options ...client.ApplyOption) error {
		configMap := corev1ac.ConfigMap("applied", tour.namespace).WithData(data)
		return tour.Apply(ctx, configMap, append(options, client.FieldOwner(manager))...)
	}
	if err := applyAs("first", map[string]string{"a": "1", "b": "1"}); err != nil {
		return err
	}
	refused := applyAs("second", map[string]string{"a": "2"})
	if !apierrors.IsConflict(refused) || !apierrors.HasStatusCause(refused, metav1.CauseTypeFieldManagerConflict) {
		return fmt.Errorf("no conflict: %w", refused)
	}
	if err := applyAs("second", map[string]string{"a": "2"}, client.ForceOwnership); err != nil {
		return err
	}
	if err := applyAs("first", nil); err != nil {
		return err
	}
	applied := &corev1.ConfigMap{}
	if err := tour.Get(ctx, tour.key("applied"), applied); err != nil {
		return err
	}
	return equal(applied.Data, map[string]string{"a": "2"})
}

func (tour *tour) errors(ctx context.Context) error {
	missing := tour.Get(ctx, tour.key("missing"), &corev1.ConfigMap{})
	created := &corev1.ConfigMap{ObjectMeta: tour.named("twice")}
	if err := tour.Create(ctx, created); err != nil {
		return err
	}
	twice := tour.Create(ctx, &corev1.ConfigMap{ObjectMeta: tour.named("twice")})
	changed := created.DeepCopy()
	changed.Data = map[string]string{"a": "1"}
	if err := tour.Update(ctx, changed); err != nil {
		return err
	}
	stale := tour.Update(ctx, created)
	invalid := tour.Create(ctx, tour.deployment("Not A Name", -1))
	if !apierrors.IsNotFound(missing) || !apierrors.IsAlreadyExists(twice) || !apierrors.IsConflict(stale) {
		return fmt.Errorf("other errors: %w; %w; %w", missing, twice, stale)
	}
	status, ok := invalid.(apierrors.APIStatus)
	if !ok || !apierrors.IsInvalid(invalid) {
		return fmt.Errorf("not invalid: %w", invalid)
	}
	var fields []string
	for _, cause := range status.Status().Details.Causes {
		fields = append(fields, cause.Field)
	}
	return equal(fields, []string{"metadata.name", "spec.replicas"})
}

func (tour *tour) deletion(ctx context.Context) error {
	owner, err := tour.createPair(ctx, "foreground")
	if err != nil {
		return err
	}
	wrong := tour.Delete(ctx, owner, client.Preconditions{UID: ptr.To(types.UID("other"))})
	if !apierrors.IsConflict(wrong) {
		return fmt.Errorf("no conflict: %w", wrong)
	}
	if err := tour.Delete(ctx, owner, client.PropagationPolicy(metav1.DeletePropagationForeground)); err != nil {
		return err
	}
	if err := tour.leaves(ctx, "foreground"); err != nil {
		return err
	}
	owner, err = tour.createPair(ctx, "orphan")
	if err != nil {
		return err
	}
	if err := tour.Delete(ctx, owner, client.PropagationPolicy(metav1.DeletePropagationOrphan)); err != nil {
		return err
	}
	if err := tour.leaves(ctx, "orphan", "orphan-owned"); err != nil {
		return err
	}
	orphan := &corev1.ConfigMap{}
	if err := tour.Get(ctx, tour.key("orphan-owned"), orphan); err != nil {
		return err
	}
	return equal(len(orphan.OwnerReferences), 0)
}

func (tour *tour) createPair(ctx context.Context, name string) (*corev1.ConfigMap, error) {
	owner := &corev1.ConfigMap{ObjectMeta: tour.named(name)}
	if err := tour.Create(ctx, owner); err != nil {
		return nil, err
	}
	owned := &corev1.ConfigMap{ObjectMeta: tour.named(name + "-owned")}
	reference := metav1.NewControllerRef(owner, corev1.SchemeGroupVersion.WithKind("ConfigMap"))
	owned.OwnerReferences = []metav1.OwnerReference{*reference}
	return owner, tour.Create(ctx, owned)
}

// leaves waits until nothing else is left whose name begins like this.
func (tour *tour) leaves(ctx context.Context, prefix string, names ...string) error {
	return eventually(ctx, func() error {
		list := &corev1.ConfigMapList{}
		if err := tour.List(ctx, list, client.InNamespace(tour.namespace)); err != nil {
			return err
		}
		left := slices.DeleteFunc(namesOf(list.Items), func(name string) bool { return !strings.HasPrefix(name, prefix) })
		return equal(len(left), len(names))
	})
}

func (tour *tour) scale(ctx context.Context) error {
	deployment := tour.deployment("scaled", 0)
	if err := tour.Create(ctx, deployment); err != nil {
		return err
	}
	scale := &autoscalingv1.Scale{}
	if err := tour.SubResource("scale").Get(ctx, deployment, scale); err != nil {
		return err
	}
	scale.Spec.Replicas = 2
	if err := tour.SubResource("scale").Update(ctx, deployment, client.WithSubResourceBody(scale)); err != nil {
		return err
	}
	err := eventually(ctx, func() error {
		if err := tour.SubResource("scale").Get(ctx, deployment, scale); err != nil {
			return err
		}
		return equal(scale.Status.Replicas, int32(2))
	})
	if err != nil {
		return err
	}
	widget := tour.widget("scaled")
	if err := tour.Create(ctx, widget); err != nil {
		return err
	}
	if err := tour.SubResource("scale").Get(ctx, widget, scale); err != nil {
		return err
	}
	scale.Spec.Replicas = 7
	if err := tour.SubResource("scale").Update(ctx, widget, client.WithSubResourceBody(scale)); err != nil {
		return err
	}
	if err := tour.Get(ctx, tour.key("scaled"), widget); err != nil {
		return err
	}
	return equal(widget.Spec.Size, 7)
}

func (tour *tour) status(ctx context.Context) error {
	widget := tour.widget("told")
	if err := tour.Create(ctx, widget); err != nil {
		return err
	}
	generation := widget.Generation
	widget.Spec.Message = "ignored"
	widget.Status.Phase = "Told"
	if err := tour.Status().Update(ctx, widget); err != nil {
		return err
	}
	return errors.Join(
		equal(widget.Status.Phase, "Told"),
		equal(widget.Spec.Message, "told"),
		equal(widget.Generation, generation),
	)
}

func (tour *tour) streams(ctx context.Context) error {
	pod := &corev1.Pod{ObjectMeta: tour.named("streams")}
	pod.Spec.Containers = []corev1.Container{{Name: "main", Image: "web:1"}}
	if err := tour.Create(ctx, pod); err != nil {
		return err
	}
	err := eventually(ctx, func() error {
		if err := tour.Get(ctx, tour.key("streams"), pod); err != nil {
			return err
		}
		return equal(pod.Status.Phase, corev1.PodRunning)
	})
	if err != nil {
		return err
	}
	pods := tour.clientset.CoreV1().Pods(tour.namespace)
	log := pods.GetLogs("streams", &corev1.PodLogOptions{TailLines: ptr.To(int64(5))})
	if _, err := log.DoRaw(ctx); err != nil {
		return err
	}
	request := tour.clientset.CoreV1().RESTClient().Post().Namespace(tour.namespace)
	options := &corev1.PodExecOptions{Command: []string{"true"}, Stdout: true, Stderr: true}
	url := request.Resource("pods").Name("streams").SubResource("exec").VersionedParams(options, clientgoscheme.ParameterCodec).URL()
	overWebSocket, err := remotecommand.NewWebSocketExecutor(tour.config, "GET", url.String())
	if err != nil {
		return err
	}
	overSPDY, err := remotecommand.NewSPDYExecutor(tour.config, "POST", url)
	if err != nil {
		return err
	}
	output := remotecommand.StreamOptions{Stdout: &bytes.Buffer{}, Stderr: &bytes.Buffer{}}
	return errors.Join(overWebSocket.StreamWithContext(ctx, output), overSPDY.StreamWithContext(ctx, output))
}

func (tour *tour) expiry(ctx context.Context) error {
	watching, err := dynamic.NewForConfigOrDie(tour.config).Resource(groupVersion.WithResource("widgets")).
		Namespace(tour.namespace).Watch(ctx, metav1.ListOptions{ResourceVersion: tour.expired})
	if err != nil {
		return err
	}
	defer watching.Stop()
	event := <-watching.ResultChan()
	failure := apierrors.FromObject(event.Object)
	if event.Type != watch.Error || !apierrors.IsResourceExpired(failure) {
		return fmt.Errorf("not expired: %v: %w", event.Type, failure)
	}
	return nil
}

func (tour *tour) discovery(ctx context.Context) error {
	version, err := tour.clientset.Discovery().ServerVersion()
	if err != nil {
		return err
	}
	mapping, err := tour.RESTMapper().RESTMapping(schema.GroupKind{Group: groupVersion.Group, Kind: "Widget"})
	if err != nil {
		return err
	}
	resources, err := tour.clientset.Discovery().ServerResourcesForGroupVersion(groupVersion.String())
	if err != nil {
		return err
	}
	_, _, err = tour.clientset.Discovery().ServerGroupsAndResources()
	return errors.Join(
		err,
		equal(version.Minor, "36"),
		equal(mapping.Resource, groupVersion.WithResource("widgets")),
		equal(len(resources.APIResources), 3),
	)
}

func (tour *tour) dynamic(ctx context.Context) error {
	object := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": groupVersion.String(),
		"kind":       "Widget",
		"metadata":   map[string]any{"name": "dynamic", "namespace": tour.namespace},
		"spec":       map[string]any{"message": "dynamic"},
	}}
	if err := tour.Create(ctx, object); err != nil {
		return err
	}
	size, _, err := unstructured.NestedInt64(object.Object, "spec", "size")
	if err != nil {
		return err
	}
	if err := tour.Delete(ctx, object); err != nil {
		return err
	}
	gone := tour.Get(ctx, tour.key("dynamic"), object)
	if !apierrors.IsNotFound(gone) {
		return fmt.Errorf("still there: %w", gone)
	}
	return equal(size, int64(1))
}

func (tour *tour) times(ctx context.Context) error {
	namespace := &corev1.Namespace{}
	if err := tour.Get(ctx, types.NamespacedName{Name: tour.namespace}, namespace); err != nil {
		return err
	}
	if age := time.Since(namespace.CreationTimestamp.Time); age < -time.Second || age > time.Hour {
		return fmt.Errorf("an age of %s", age)
	}
	renewed := metav1.NewMicroTime(time.Date(2026, 1, 2, 3, 4, 5, 678901000, time.UTC))
	lease := &coordinationv1.Lease{ObjectMeta: tour.named("timed")}
	lease.Spec.RenewTime = &renewed
	if err := tour.Create(ctx, lease); err != nil {
		return err
	}
	return equal(lease.Spec.RenewTime.UTC(), renewed.UTC())
}

// protobuf: the built-in types in the encoding that Go programs prefer, watches included.
func (tour *tour) protobuf(ctx context.Context) error {
	config := rest.CopyConfig(tour.config)
	config.ContentType = "application/vnd.kubernetes.protobuf"
	config.AcceptContentTypes = config.ContentType
	api := kubernetes.NewForConfigOrDie(config).CoreV1().ConfigMaps(tour.namespace)
	watching, err := api.Watch(ctx, metav1.ListOptions{FieldSelector: "metadata.name=binary"})
	if err != nil {
		return err
	}
	defer watching.Stop()
	created := &corev1.ConfigMap{ObjectMeta: tour.named("binary"), BinaryData: map[string][]byte{"bytes": {0, 255}}}
	if _, err := api.Create(ctx, created, metav1.CreateOptions{}); err != nil {
		return err
	}
	event := <-watching.ResultChan()
	configMap, ok := event.Object.(*corev1.ConfigMap)
	if !ok {
		return fmt.Errorf("an event of %T", event.Object)
	}
	_, missing := api.Get(ctx, "missing", metav1.GetOptions{})
	return errors.Join(equal(configMap.BinaryData, created.BinaryData), equal(apierrors.IsNotFound(missing), true))
}
