// bench/peers/nats: JetStream's load: publishers that each keep a window of records unacknowledged, with the
// asynchronous publish of nats.go, each on a connection and a subject of its own, all into one stream on file.
// Prints one JSON line.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"log"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
)

func main() {
	url := flag.String("url", "nats://127.0.0.1:4222", "")
	connections := flag.Int("connections", 8, "")
	window := flag.Int("window", 500, "records unacknowledged on a connection, at most")
	recordBytes := flag.Int("record-bytes", 150, "")
	seconds := flag.Float64("seconds", 8, "")
	warmup := flag.Float64("warmup", 1, "")
	flag.Parse()

	control, err := nats.Connect(*url)
	if err != nil {
		log.Fatal(err)
	}
	js, err := control.JetStream()
	if err != nil {
		log.Fatal(err)
	}
	if _, err := js.AddStream(&nats.StreamConfig{
		Name: "bench", Subjects: []string{"bench.*"}, Storage: nats.FileStorage,
	}); err != nil {
		log.Fatal(err)
	}

	countFrom := time.Now().Add(time.Duration(*warmup * float64(time.Second)))
	end := countFrom.Add(time.Duration(*seconds * float64(time.Second)))
	var records, failed atomic.Int64
	var all sync.WaitGroup
	for i := range *connections {
		all.Add(1)
		go func() {
			defer all.Done()
			publish(*url, fmt.Sprintf("bench.%d", i), *window, *recordBytes, countFrom, end, &records, &failed)
		}()
	}
	all.Wait()
	fmt.Printf("{\"records\":%d,\"records_per_s\":%.0f,\"failed\":%d}\n", records.Load(),
		float64(records.Load())/(*seconds), failed.Load())
}

func publish(url, subject string, window, recordBytes int, countFrom, end time.Time, records, failed *atomic.Int64) {
	connection, err := nats.Connect(url)
	if err != nil {
		log.Fatal(err)
	}
	defer connection.Close()
	js, err := connection.JetStream(nats.PublishAsyncMaxPending(window))
	if err != nil {
		log.Fatal(err)
	}
	payload := bytes.Repeat([]byte("x"), recordBytes)
	pending := make(chan nats.PubAckFuture, window)
	var answered sync.WaitGroup
	answered.Add(1)
	go func() {
		defer answered.Done()
		for future := range pending {
			select {
			case <-future.Ok():
				if now := time.Now(); now.After(countFrom) && now.Before(end) {
					records.Add(1)
				}
			case <-future.Err():
				failed.Add(1)
			}
		}
	}()
	for time.Now().Before(end) {
		future, err := js.PublishAsync(subject, payload, nats.StallWait(30*time.Second))
		if err != nil {
			failed.Add(1)
			continue
		}
		pending <- future
	}
	close(pending)
	answered.Wait()
}
