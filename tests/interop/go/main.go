// The AWS SDK for Go 2 against ENDPOINT: a line for each case, then "N passed, N failed, N skipped".
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"math/big"
	"os"
	"slices"
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

// readShard returns the records of a shard, read by GetRecords.
func readShard(ctx context.Context, client *kinesis.Client, stream string, shard *string) ([]types.Record, error) {
	at, err := client.GetShardIterator(ctx, &kinesis.GetShardIteratorInput{StreamName: &stream, ShardId: shard,
		ShardIteratorType: types.ShardIteratorTypeTrimHorizon})
	if err != nil {
		return nil, err
	}
	var records []types.Record
	for iterator := at.ShardIterator; iterator != nil; {
		page, err := client.GetRecords(ctx, &kinesis.GetRecordsInput{ShardIterator: iterator})
		if err != nil {
			return nil, err
		}
		records = append(records, page.Records...)
		iterator = page.NextShardIterator
		if len(page.Records) == 0 && *page.MillisBehindLatest == 0 {
			break
		}
	}
	return records, nil
}

// readAll maps sequence numbers to data, of all shards.
func readAll(ctx context.Context, client *kinesis.Client, stream string) (map[string]string, error) {
	found := map[string]string{}
	shards, err := client.ListShards(ctx, &kinesis.ListShardsInput{StreamName: &stream})
	if err != nil {
		return nil, err
	}
	for _, shard := range shards.Shards {
		records, err := readShard(ctx, client, stream, shard.ShardId)
		if err != nil {
			return nil, err
		}
		for _, record := range records {
			found[*record.SequenceNumber] = string(record.Data)
		}
	}
	return found, nil
}

// registered returns the ARN of a new consumer, once it is active.
func registered(ctx context.Context, client *kinesis.Client, stream string) (*string, error) {
	summary, err := client.DescribeStreamSummary(ctx, &kinesis.DescribeStreamSummaryInput{StreamName: &stream})
	if err != nil {
		return nil, err
	}
	answer, err := client.RegisterStreamConsumer(ctx, &kinesis.RegisterStreamConsumerInput{
		StreamARN: summary.StreamDescriptionSummary.StreamARN, ConsumerName: aws.String("go")})
	if err != nil {
		return nil, err
	}
	for range 100 {
		described, err := client.DescribeStreamConsumer(ctx,
			&kinesis.DescribeStreamConsumerInput{ConsumerARN: answer.Consumer.ConsumerARN})
		if err != nil || described.ConsumerDescription.ConsumerStatus == types.ConsumerStatusActive {
			return answer.Consumer.ConsumerARN, err
		}
		time.Sleep(100 * time.Millisecond)
	}
	return nil, errors.New("the consumer is not ACTIVE within 10 s")
}

// subscribed reads a shard from its first record by a subscription, until it ends or has given that many records. It returns
// them and the children that it was told of.
func subscribed(ctx context.Context, client *kinesis.Client, consumer *string, shard string, enough int) (
	records []types.Record, children []string, err error) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	answer, err := client.SubscribeToShard(ctx, &kinesis.SubscribeToShardInput{ConsumerARN: consumer, ShardId: &shard,
		StartingPosition: &types.StartingPosition{Type: types.ShardIteratorTypeTrimHorizon}})
	if err != nil {
		return nil, nil, err
	}
	events := answer.GetStream()
	defer events.Close()
	for event := range events.Events() {
		told, ok := event.(*types.SubscribeToShardEventStreamMemberSubscribeToShardEvent)
		if !ok {
			return nil, nil, fmt.Errorf("an event %T", event)
		}
		records = append(records, told.Value.Records...)
		for _, child := range told.Value.ChildShards {
			children = append(children, *child.ShardId)
		}
		if len(children) > 0 || len(records) >= enough {
			return records, children, nil
		}
	}
	return nil, nil, errors.Join(fmt.Errorf("the subscription to %s ended before its shard", shard), events.Err(), ctx.Err())
}

// subscribeAfterSplit splits the first shard, puts more, and reads every shard by a subscription of its own.
func subscribeAfterSplit(ctx context.Context, client *kinesis.Client, stream string) error {
	consumer, err := registered(ctx, client, stream)
	if err != nil {
		return err
	}
	const split = "shardId-000000000000"
	if _, err := client.SplitShard(ctx, &kinesis.SplitShardInput{StreamName: &stream, ShardToSplit: aws.String(split),
		NewStartingHashKey: aws.String(new(big.Int).Lsh(big.NewInt(1), 126).String())}); err != nil {
		return err
	}
	waiter := kinesis.NewStreamExistsWaiter(client, func(o *kinesis.StreamExistsWaiterOptions) {
		o.MinDelay, o.MaxDelay = time.Second, time.Second
	})
	if err := waiter.Wait(ctx, &kinesis.DescribeStreamInput{StreamName: &stream}, 30*time.Second); err != nil {
		return err
	}
	for i := range 50 {
		text := fmt.Sprint("after-", i)
		if _, err := client.PutRecord(ctx, &kinesis.PutRecordInput{StreamName: &stream, PartitionKey: &text,
			Data: []byte(text)}); err != nil {
			return err
		}
	}
	shards := []string{split, "shardId-000000000001"}
	for i := 0; i < len(shards); i++ {
		wanted, err := readShard(ctx, client, stream, &shards[i])
		if err != nil {
			return err
		}
		enough := len(wanted)
		if shards[i] == split {
			enough = math.MaxInt // until its end
		}
		got, children, err := subscribed(ctx, client, consumer, shards[i], enough)
		if err != nil {
			return err
		}
		same := func(one, other types.Record) bool {
			return *one.SequenceNumber == *other.SequenceNumber && bytes.Equal(one.Data, other.Data)
		}
		if len(wanted) == 0 || !slices.EqualFunc(got, wanted, same) {
			return fmt.Errorf("%s: %d records, not the %d that are there, in order", shards[i], len(got), len(wanted))
		}
		shards = append(shards, children...)
	}
	if len(shards) != 4 {
		return fmt.Errorf("shards: %v", shards)
	}
	return nil
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
	check("SubscribeToShard: every record in order, a split shard to its end, and then its children", func() error {
		return subscribeAfterSplit(ctx, client, stream)
	})
	check("delete, wait", func() error {
		if _, err := client.DeleteStream(ctx, &kinesis.DeleteStreamInput{StreamName: &stream,
			EnforceConsumerDeletion: aws.Bool(true)}); err != nil {
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
