// The two parts of Argo CD that compare and sync, in one program: its own has the API server, its page and seven others besides.
package main

import (
	"os"

	"github.com/spf13/cobra"

	controller "github.com/argoproj/argo-cd/v3/cmd/argocd-application-controller/commands"
	reposerver "github.com/argoproj/argo-cd/v3/cmd/argocd-repo-server/commands"
)

func main() {
	root := &cobra.Command{Use: "argo-cd", SilenceUsage: true}
	root.AddCommand(controller.NewCommand(), reposerver.NewCommand())
	if root.Execute() != nil {
		os.Exit(1)
	}
}
