package main

import (
	"context"
	"fmt"
	"maps"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/events"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"
)

const (
	manager   = "widget-operator"
	managedBy = "app.kubernetes.io/managed-by"
	finalizer = "clients.example.com/cleanup"
)

var (
	leaseDuration = 15 * time.Second
	renewDeadline = 10 * time.Second
	retryPeriod   = 2 * time.Second
)

func newScheme() (*runtime.Scheme, error) {
	scheme := runtime.NewScheme()
	if err := clientgoscheme.AddToScheme(scheme); err != nil {
		return nil, err
	}
	return scheme, schemeBuilder.AddToScheme(scheme)
}

// runOperator returns when the context ends or leadership is lost.
func runOperator(ctx context.Context, config *rest.Config, namespace, identity string) error {
	scheme, err := newScheme()
	if err != nil {
		return err
	}
	if err := checkRights(ctx, config, scheme, namespace); err != nil {
		return err
	}
	lock, err := resourcelock.NewFromKubeconfig(resourcelock.LeasesResourceLock, namespace, manager,
		resourcelock.ResourceLockConfig{Identity: identity}, config, renewDeadline)
	if err != nil {
		return err
	}
	mgr, err := ctrl.NewManager(config, ctrl.Options{
		Scheme:                              scheme,
		Metrics:                             server.Options{BindAddress: "0"},
		Cache:                               cache.Options{DefaultNamespaces: map[string]cache.Config{namespace: {}}},
		LeaderElection:                      true,
		LeaderElectionResourceLockInterface: lock,
		LeaderElectionReleaseOnCancel:       true,
		LeaseDuration:                       &leaseDuration,
		RenewDeadline:                       &renewDeadline,
		RetryPeriod:                         &retryPeriod,
	})
	if err != nil {
		return err
	}
	reconciler := &widgetReconciler{Client: mgr.GetClient(), recorder: mgr.GetEventRecorder(manager)}
	err = ctrl.NewControllerManagedBy(mgr).For(&Widget{}).Owns(&corev1.ConfigMap{}).Complete(reconciler)
	if err != nil {
		return err
	}
	if err := mgr.Start(ctx); err != nil {
		return err
	}
	fmt.Println("stopped")
	return nil
}

// checkRights: the operator must not see what it need not see.
func checkRights(ctx context.Context, config *rest.Config, scheme *runtime.Scheme, namespace string) error {
	direct, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		return err
	}
	err = direct.List(ctx, &corev1.SecretList{}, client.InNamespace(namespace))
	if status, ok := err.(apierrors.APIStatus); ok {
		fmt.Printf("secrets: %d %s\n", status.Status().Code, status.Status().Reason)
		return nil
	}
	fmt.Println("secrets can be read", err)
	return nil
}

type widgetReconciler struct {
	client.Client
	recorder events.EventRecorder
}

func (reconciler *widgetReconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	widget := &Widget{}
	if err := reconciler.Get(ctx, request.NamespacedName, widget); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if !widget.DeletionTimestamp.IsZero() {
		return ctrl.Result{}, reconciler.finalize(ctx, widget)
	}
	original := widget.DeepCopy()
	if controllerutil.AddFinalizer(widget, finalizer) {
		return ctrl.Result{}, reconciler.Patch(ctx, widget, client.MergeFrom(original))
	}
	if err := reconciler.createOrUpdateParts(ctx, widget); err != nil {
		return ctrl.Result{}, err
	}
	return ctrl.Result{}, reconciler.report(ctx, widget)
}

func (reconciler *widgetReconciler) createOrUpdateParts(ctx context.Context, widget *Widget) error {
	data := map[string]string{}
	for index := range widget.Spec.Size {
		data[fmt.Sprintf("part-%d", index)] = widget.Spec.Message
	}
	parts := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: widget.Name + "-parts", Namespace: widget.Namespace}}
	_, err := controllerutil.CreateOrUpdate(ctx, reconciler.Client, parts, func() error {
		if parts.Labels == nil {
			parts.Labels = map[string]string{}
		}
		maps.Copy(parts.Labels, map[string]string{managedBy: manager})
		parts.Data = data
		return controllerutil.SetControllerReference(widget, parts, reconciler.Scheme())
	})
	return err
}

func (reconciler *widgetReconciler) report(ctx context.Context, widget *Widget) error {
	original := widget.DeepCopy()
	widget.Status.Phase = "Ready"
	widget.Status.Parts = widget.Spec.Size
	widget.Status.ObservedGeneration = widget.Generation
	meta.SetStatusCondition(&widget.Status.Conditions, metav1.Condition{
		Type:               "Ready",
		Status:             metav1.ConditionTrue,
		Reason:             "Reconciled",
		Message:            fmt.Sprintf("%d parts", widget.Spec.Size),
		ObservedGeneration: widget.Generation,
	})
	if equality.Semantic.DeepEqual(original.Status, widget.Status) {
		return nil
	}
	if err := reconciler.Status().Patch(ctx, widget, client.MergeFrom(original)); err != nil {
		return err
	}
	reconciler.recorder.Eventf(widget, nil, corev1.EventTypeNormal, "Reconciled", "Reconcile", "%d parts are there", widget.Spec.Size)
	return nil
}

func (reconciler *widgetReconciler) finalize(ctx context.Context, widget *Widget) error {
	original := widget.DeepCopy()
	if !controllerutil.RemoveFinalizer(widget, finalizer) {
		return nil
	}
	cleanup := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "cleanup", Namespace: widget.Namespace}}
	_, err := controllerutil.CreateOrPatch(ctx, reconciler.Client, cleanup, func() error {
		if cleanup.Data == nil {
			cleanup.Data = map[string]string{}
		}
		cleanup.Data[widget.Name] = "cleaned"
		return nil
	})
	if err != nil {
		return err
	}
	return reconciler.Patch(ctx, widget, client.MergeFromWithOptions(original, client.MergeFromWithOptimisticLock{}))
}
