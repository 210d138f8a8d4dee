package main

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/rest"
)

// observers is how many such programs there are at once: what a few people with a dashboard each come to.
const observers = 4

var configMaps = schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}

// observeEverything holds an informer on every resource that can be watched, several times over, as dashboards do, and
// follows one object through all of them.
func observeEverything(ctx context.Context, config *rest.Config, namespace string) error {
	config = rest.CopyConfig(config)
	config.QPS = -1
	resources, err := watchable(config)
	if err != nil {
		return err
	}
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	factories := make([]dynamicinformer.DynamicSharedInformerFactory, observers)
	for index := range factories {
		factories[index] = dynamicinformer.NewDynamicSharedInformerFactory(client, 0)
		for _, resource := range resources {
			factories[index].ForResource(resource).Informer()
		}
		factories[index].Start(ctx.Done())
	}
	for _, factory := range factories {
		for resource, synced := range factory.WaitForCacheSync(ctx.Done()) {
			if !synced {
				return fmt.Errorf("%s has not synced", resource)
			}
		}
	}
	if err := followOne(ctx, client, factories, namespace); err != nil {
		return err
	}
	fmt.Printf("ok %d informers\n", observers*len(resources))
	return nil
}

func watchable(config *rest.Config) ([]schema.GroupVersionResource, error) {
	lists, err := discovery.NewDiscoveryClientForConfigOrDie(config).ServerPreferredResources()
	if err != nil {
		return nil, err
	}
	lists = discovery.FilteredBy(discovery.SupportsAllVerbs{Verbs: []string{"list", "watch"}}, lists)
	resources, err := discovery.GroupVersionResources(lists)
	if err != nil {
		return nil, err
	}
	var found []schema.GroupVersionResource
	for resource := range resources {
		found = append(found, resource)
	}
	return found, nil
}

// followOne sees an object come, change and go in every observer.
func followOne(
	ctx context.Context,
	client dynamic.Interface,
	factories []dynamicinformer.DynamicSharedInformerFactory,
	namespace string,
) error {
	api := client.Resource(configMaps).Namespace(namespace)
	object := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "ConfigMap"}}
	object.SetName("followed")
	created, err := api.Create(ctx, object, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	if err := eachSees(ctx, factories, namespace, created.GetResourceVersion()); err != nil {
		return err
	}
	created.SetLabels(map[string]string{"changed": "yes"})
	changed, err := api.Update(ctx, created, metav1.UpdateOptions{})
	if err != nil {
		return err
	}
	if err := eachSees(ctx, factories, namespace, changed.GetResourceVersion()); err != nil {
		return err
	}
	if err := api.Delete(ctx, "followed", metav1.DeleteOptions{}); err != nil {
		return err
	}
	return eachSees(ctx, factories, namespace, "")
}

// eachSees waits until every observer has the object at this version; empty: until none has it.
func eachSees(
	ctx context.Context,
	factories []dynamicinformer.DynamicSharedInformerFactory,
	namespace, version string,
) error {
	return eventually(ctx, func() error {
		for _, factory := range factories {
			objects, err := factory.ForResource(configMaps).Lister().ByNamespace(namespace).List(labels.Everything())
			if err != nil {
				return err
			}
			seen := ""
			for _, object := range objects {
				accessor, err := meta.Accessor(object)
				if err != nil {
					return err
				}
				if accessor.GetName() == "followed" {
					seen = accessor.GetResourceVersion()
				}
			}
			if err := equal(seen, version); err != nil {
				return err
			}
		}
		return nil
	})
}
