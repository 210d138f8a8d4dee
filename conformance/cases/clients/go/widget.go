package main

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/scheme"
)

var (
	groupVersion  = schema.GroupVersion{Group: "clients.example.com", Version: "v1"}
	schemeBuilder = &scheme.Builder{GroupVersion: groupVersion}
)

func init() {
	schemeBuilder.Register(&Widget{}, &WidgetList{})
}

// Widget is the custom resource of the clients' stories.
type Widget struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   WidgetSpec   `json:"spec"`
	Status WidgetStatus `json:"status,omitempty"`
}

// WidgetSpec says how many parts a widget has, and what each of them says.
type WidgetSpec struct {
	Size    int    `json:"size,omitempty"`
	Message string `json:"message"`
}

// WidgetStatus is what the operator reports.
type WidgetStatus struct {
	Phase              string             `json:"phase,omitempty"`
	Parts              int                `json:"parts,omitempty"`
	ObservedGeneration int64              `json:"observedGeneration,omitempty"`
	Conditions         []metav1.Condition `json:"conditions,omitempty"`
}

// WidgetList is a list of Widgets.
type WidgetList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []Widget `json:"items"`
}

// DeepCopyObject is what code generators write for larger types.
func (widget *Widget) DeepCopyObject() runtime.Object {
	return widget.DeepCopy()
}

// DeepCopy shares nothing with the original.
func (widget *Widget) DeepCopy() *Widget {
	copied := *widget
	copied.ObjectMeta = *widget.ObjectMeta.DeepCopy()
	copied.Status.Conditions = append([]metav1.Condition(nil), widget.Status.Conditions...)
	return &copied
}

// DeepCopyObject copies every item.
func (list *WidgetList) DeepCopyObject() runtime.Object {
	copied := &WidgetList{TypeMeta: list.TypeMeta, ListMeta: *list.ListMeta.DeepCopy()}
	for index := range list.Items {
		copied.Items = append(copied.Items, *list.Items[index].DeepCopy())
	}
	return copied
}
