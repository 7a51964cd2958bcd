// What a provider of Terraform or Pulumi does with a release: Helm as a library, with a program as post-renderer.
// It does not set kube.ManagedFieldsManager, so that Helm writes under the name of the program.
//
//	provider plan|install|upgrade RELEASE NAMESPACE CHART PROGRAM [ARGUMENT ...]
//
// prints the manifest. A plan is the dry run of an installation that the experiment "manifest" of Terraform's provider
// makes, with the same program and arguments.
package main

import (
	"fmt"
	"os"

	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/cli"
	"helm.sh/helm/v3/pkg/postrender"
	"helm.sh/helm/v3/pkg/release"
)

func main() {
	if err := run(os.Args[1], os.Args[2], os.Args[3], os.Args[4], os.Args[5], os.Args[6:]); err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		os.Exit(1)
	}
}

func run(what, name, namespace, folder, program string, arguments []string) error {
	settings := cli.New()
	settings.SetNamespace(namespace)
	config := new(action.Configuration)
	if err := config.Init(settings.RESTClientGetter(), namespace, "secret", func(string, ...interface{}) {}); err != nil {
		return err
	}
	renderer, err := postrender.NewExec(program, arguments...)
	if err != nil {
		return err
	}
	chart, err := loader.Load(folder)
	if err != nil {
		return err
	}
	if what == "upgrade" {
		client := action.NewUpgrade(config)
		client.Namespace, client.PostRenderer = namespace, renderer
		return printed(client.Run(name, chart, nil))
	}
	client := action.NewInstall(config)
	client.ReleaseName, client.Namespace, client.PostRenderer = name, namespace, renderer
	if what == "plan" {
		client.DryRun, client.DryRunOption = true, "server"
	}
	return printed(client.Run(chart, nil))
}

func printed(found *release.Release, err error) error {
	if err == nil {
		fmt.Print(found.Manifest)
	}
	return err
}
