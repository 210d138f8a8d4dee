package main

import (
	"context"
	"fmt"
	"reflect"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
)

func (tour *tour) named(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Name: name, Namespace: tour.namespace}
}

func (tour *tour) key(name string) types.NamespacedName {
	return types.NamespacedName{Namespace: tour.namespace, Name: name}
}

func (tour *tour) widget(name string) *Widget {
	return &Widget{ObjectMeta: tour.named(name), Spec: WidgetSpec{Message: name}}
}

func (tour *tour) deployment(name string, replicas int32) *appsv1.Deployment {
	labels := map[string]string{"app": "tour"}
	deployment := &appsv1.Deployment{ObjectMeta: tour.named(name)}
	deployment.Spec.Replicas = &replicas
	deployment.Spec.Selector = &metav1.LabelSelector{MatchLabels: labels}
	deployment.Spec.Template.Labels = labels
	deployment.Spec.Template.Spec.Containers = []corev1.Container{{Name: "web", Image: "web:1"}}
	return deployment
}

func namesOf(configMaps []corev1.ConfigMap) []string {
	var names []string
	for _, configMap := range configMaps {
		names = append(names, configMap.Name)
	}
	return names
}

func equal[T any](found, expected T) error {
	if reflect.DeepEqual(found, expected) {
		return nil
	}
	return fmt.Errorf("found %v, expected %v", found, expected)
}

// eventually gives the last failure when the time is up.
func eventually(ctx context.Context, assertion func() error) error {
	var failure error
	err := wait.PollUntilContextTimeout(ctx, 100*time.Millisecond, 10*time.Second, true, func(context.Context) (bool, error) {
		failure = assertion()
		return failure == nil, nil
	})
	if err != nil {
		return failure
	}
	return nil
}
