// Command flamegate-load asks pods for orders at a constant rate and prints what each group of pods answered.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

const exitBadUsage = 2

func main() {
	if err := run(os.Args[1:]); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return
		}
		fmt.Fprintln(os.Stderr, "flamegate-load:", err)
		if errors.As(err, new(usageError)) {
			os.Exit(exitBadUsage)
		}
		os.Exit(1)
	}
}

func run(args []string) error {
	options, err := parseOptions(args)
	if err != nil {
		return err
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)

	summary, err := drive(options, stop, os.Stderr)
	if err != nil {
		return err
	}
	return writeSummary(summary, options.out)
}
