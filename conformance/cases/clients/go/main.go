// Command clients is the operator (`clients operator`: NAMESPACE and IDENTITY say where and as whom), the tour
// (`clients tour`: what else clients are asked to do) and an observer of every resource (`clients everything`).
package main

import (
	"fmt"
	"os"

	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
)

func main() {
	ctrl.SetLogger(klog.Background())
	config := ctrl.GetConfigOrDie()
	namespace := os.Getenv("NAMESPACE")
	var err error
	switch os.Args[1] {
	case "operator":
		err = runOperator(ctrl.SetupSignalHandler(), config, namespace, os.Getenv("IDENTITY"))
	case "tour":
		err = takeTour(ctrl.SetupSignalHandler(), config, namespace, os.Getenv("EXPIRED"))
	case "everything":
		err = observeEverything(ctrl.SetupSignalHandler(), config, namespace)
	default:
		err = fmt.Errorf("there is no %s", os.Args[1])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
