// A flag service that speaks OFREP: GO Feature Flag's own engine and handlers over a file, without the stores, queues and clouds that
// its relay proxy links. `go-feature-flag FILE ADDRESS` reads the file again every second, and ends with its input.
package main

import (
	"io"
	"log"
	"os"
	"time"

	"github.com/labstack/echo/v4"
	ffclient "github.com/thomaspoignant/go-feature-flag"
	"github.com/thomaspoignant/go-feature-flag/cmd/relayproxy/metric"
	"github.com/thomaspoignant/go-feature-flag/cmd/relayproxy/ofrep"
	"github.com/thomaspoignant/go-feature-flag/retriever/fileretriever"
)

func main() {
	flags, err := ffclient.New(ffclient.Config{
		PollingInterval: time.Second,
		Retriever:       &fileretriever.Retriever{Path: os.Args[1]},
		FileFormat:      "json",
	})
	if err != nil {
		log.Fatal(err)
	}
	metrics, err := metric.NewMetrics()
	if err != nil {
		log.Fatal(err)
	}
	go func() {
		io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	evaluate := ofrep.NewOFREPEvaluate(flags, metrics)
	server := echo.New()
	server.HideBanner, server.HidePort = true, true
	server.POST("/ofrep/v1/evaluate/flags/:flagKey", evaluate.Evaluate)
	log.Fatal(server.Start(os.Args[2]))
}
