// The AWS SDK for Go 2 against ENDPOINT: a line for each case, then "N passed, N failed, N skipped".
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

var passed, failed int

func check(name string, body func() error) {
	if err := body(); err != nil {
		failed++
		fmt.Printf("FAIL  Go: %s: %v\n", name, err)
		return
	}
	passed++
	fmt.Printf("ok    Go: %s\n", name)
}

// readAll maps sequence numbers to data, of all shards.
func readAll(ctx context.Context, client *kinesis.Client, stream string) (map[string]string, error) {
	records := map[string]string{}
	shards, err := client.ListShards(ctx, &kinesis.ListShardsInput{StreamName: &stream})
	if err != nil {
		return nil, err
	}
	for _, shard := range shards.Shards {
		at, err := client.GetShardIterator(ctx, &kinesis.GetShardIteratorInput{StreamName: &stream,
			ShardId: shard.ShardId, ShardIteratorType: types.ShardIteratorTypeTrimHorizon})
		if err != nil {
			return nil, err
		}
		for iterator := at.ShardIterator; iterator != nil; {
			page, err := client.GetRecords(ctx, &kinesis.GetRecordsInput{ShardIterator: iterator})
			if err != nil {
				return nil, err
			}
			for _, record := range page.Records {
				records[*record.SequenceNumber] = string(record.Data)
			}
			iterator = page.NextShardIterator
			if len(page.Records) == 0 && *page.MillisBehindLatest == 0 {
				break
			}
		}
	}
	return records, nil
}

func main() {
	ctx := context.Background()
	settings, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	client := kinesis.NewFromConfig(settings, func(o *kinesis.Options) { o.BaseEndpoint = aws.String(os.Args[1]) })
	stream := fmt.Sprintf("go-%x", time.Now().UnixNano())

	check("create, wait, summary", func() error {
		_, err := client.CreateStream(ctx, &kinesis.CreateStreamInput{StreamName: &stream, ShardCount: aws.Int32(2)})
		if err != nil {
			return err
		}
		waiter := kinesis.NewStreamExistsWaiter(client, func(o *kinesis.StreamExistsWaiterOptions) {
			o.MinDelay, o.MaxDelay = time.Second, time.Second
		})
		if err := waiter.Wait(ctx, &kinesis.DescribeStreamInput{StreamName: &stream}, 30*time.Second); err != nil {
			return err
		}
		summary, err := client.DescribeStreamSummary(ctx, &kinesis.DescribeStreamSummaryInput{StreamName: &stream})
		if err == nil && *summary.StreamDescriptionSummary.OpenShardCount != 2 {
			err = fmt.Errorf("open shards: %d", *summary.StreamDescriptionSummary.OpenShardCount)
		}
		return err
	})
	check("PutRecords and GetRecords", func() error {
		entries := make([]types.PutRecordsRequestEntry, 500)
		for i := range entries {
			entries[i] = types.PutRecordsRequestEntry{PartitionKey: aws.String(fmt.Sprint("k", i)),
				Data: []byte(fmt.Sprint("record-", i))}
		}
		put, err := client.PutRecords(ctx, &kinesis.PutRecordsInput{StreamName: &stream, Records: entries})
		if err != nil {
			return err
		}
		got, err := readAll(ctx, client, stream)
		for i := 0; err == nil && i < len(entries); i++ {
			if got[*put.Records[i].SequenceNumber] != fmt.Sprint("record-", i) {
				err = fmt.Errorf("record %d is not there", i)
			}
		}
		return err
	})
	check("50 puts at once", func() error {
		numbers, failures := make([]string, 50), make([]error, 50)
		var all sync.WaitGroup
		for i := range numbers {
			all.Add(1)
			go func() {
				defer all.Done()
				text := fmt.Sprint("parallel-", i)
				put, err := client.PutRecord(ctx, &kinesis.PutRecordInput{StreamName: &stream, PartitionKey: &text,
					Data: []byte(text)})
				if failures[i] = err; err == nil {
					numbers[i] = *put.SequenceNumber
				}
			}()
		}
		all.Wait()
		got, err := readAll(ctx, client, stream)
		for i := 0; err == nil && i < len(numbers); i++ {
			if err = failures[i]; err == nil && got[numbers[i]] != fmt.Sprint("parallel-", i) {
				err = fmt.Errorf("record %d is not there", i)
			}
		}
		return err
	})
	check("errors have their own types", func() error {
		_, err := client.DescribeStream(ctx, &kinesis.DescribeStreamInput{StreamName: aws.String("nowhere")})
		var missing *types.ResourceNotFoundException
		if !errors.As(err, &missing) || !strings.HasPrefix(missing.ErrorMessage(), "Stream nowhere under account") {
			return fmt.Errorf("got %v", err)
		}
		return nil
	})
	check("delete, wait", func() error {
		if _, err := client.DeleteStream(ctx, &kinesis.DeleteStreamInput{StreamName: &stream}); err != nil {
			return err
		}
		waiter := kinesis.NewStreamNotExistsWaiter(client, func(o *kinesis.StreamNotExistsWaiterOptions) {
			o.MinDelay, o.MaxDelay = time.Second, time.Second
		})
		return waiter.Wait(ctx, &kinesis.DescribeStreamInput{StreamName: &stream}, 30*time.Second)
	})
	fmt.Printf("%d passed, %d failed, 0 skipped\n", passed, failed)
	if failed > 0 {
		os.Exit(1)
	}
}
