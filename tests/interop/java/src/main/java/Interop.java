// The AWS SDK for Java 2, blocking and asynchronous, against ENDPOINT, and the STEPS of every_operation.json: in CBOR, its default for Kinesis, or in JSON with
// -Daws.cborEnabled=false.
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.services.kinesis.KinesisAsyncClient;
import software.amazon.awssdk.services.kinesis.KinesisClient;
import software.amazon.awssdk.services.kinesis.model.GetRecordsResponse;
import software.amazon.awssdk.services.kinesis.model.KinesisException;
import software.amazon.awssdk.services.kinesis.model.PutRecordResponse;
import software.amazon.awssdk.services.kinesis.model.PutRecordsRequestEntry;
import software.amazon.awssdk.services.kinesis.model.PutRecordsResponse;
import software.amazon.awssdk.services.kinesis.model.Record;
import software.amazon.awssdk.services.kinesis.model.ResourceNotFoundException;
import software.amazon.awssdk.services.kinesis.model.ShardIteratorType;

public final class Interop {
  private static int passed;
  private static int failed;
  private static final String ENCODING =
      "false".equals(System.getProperty("aws.cborEnabled")) ? "Java, JSON" : "Java, CBOR";

  private static String transport = "";

  private static void check(String name, Callable<Void> body) {
    try {
      body.call();
      passed++;
      System.out.println("ok    " + ENCODING + transport + ": " + name);
    } catch (Throwable error) {
      failed++;
      System.out.println("FAIL  " + ENCODING + transport + ": " + name + ": " + error);
    }
  }

  private static void require(boolean holds, Object what) {
    if (!holds) throw new AssertionError(what);
  }

  private static Map<String, String> readAll(KinesisClient kinesis, String stream) {
    Map<String, String> records = new HashMap<>();
    kinesis.listShards(r -> r.streamName(stream)).shards().forEach(shard -> {
      String iterator = kinesis.getShardIterator(r -> r.streamName(stream).shardId(shard.shardId())
          .shardIteratorType(ShardIteratorType.TRIM_HORIZON)).shardIterator();
      while (iterator != null) {
        String at = iterator;
        GetRecordsResponse page = kinesis.getRecords(r -> r.shardIterator(at));
        for (Record record : page.records()) records.put(record.sequenceNumber(), record.data().asUtf8String());
        iterator = page.records().isEmpty() && page.millisBehindLatest() == 0 ? null : page.nextShardIterator();
      }
    });
    return records;
  }

  public static void main(String[] arguments) throws java.io.IOException {
    URI endpoint = URI.create(arguments[0]);
    if (endpoint.getScheme().equals("https")) transport = ", TLS";
    String stream = "java-" + Long.toHexString(System.nanoTime());
    KinesisClient kinesis = KinesisClient.builder().endpointOverride(endpoint).build();
    KinesisAsyncClient async = KinesisAsyncClient.builder().endpointOverride(endpoint).build();

    check("create, wait, summary", () -> {
      kinesis.createStream(r -> r.streamName(stream).shardCount(2));
      kinesis.waiter().waitUntilStreamExists(r -> r.streamName(stream));
      require(kinesis.describeStreamSummary(r -> r.streamName(stream)).streamDescriptionSummary().openShardCount() == 2,
          "open shards");
      return null;
    });
    check("putRecords and getRecords", () -> {
      List<PutRecordsRequestEntry> entries = IntStream.range(0, 500).mapToObj(i -> PutRecordsRequestEntry.builder()
          .partitionKey("k" + i).data(SdkBytes.fromUtf8String("record-" + i)).build()).toList();
      PutRecordsResponse put = kinesis.putRecords(r -> r.streamName(stream).records(entries));
      require(put.failedRecordCount() == 0, put);
      Map<String, String> got = readAll(kinesis, stream);
      for (int i = 0; i < 500; i++) {
        require(("record-" + i).equals(got.get(put.records().get(i).sequenceNumber())), i);
      }
      return null;
    });
    check("50 asynchronous puts at once", () -> {
      List<CompletableFuture<PutRecordResponse>> puts = new ArrayList<>();
      for (int i = 0; i < 50; i++) {
        String text = "async-" + i;
        puts.add(async.putRecord(r -> r.streamName(stream).partitionKey(text).data(SdkBytes.fromUtf8String(text))));
      }
      CompletableFuture.allOf(puts.toArray(CompletableFuture[]::new)).join();
      Map<String, String> got = readAll(kinesis, stream);
      for (int i = 0; i < 50; i++) require(("async-" + i).equals(got.get(puts.get(i).join().sequenceNumber())), i);
      return null;
    });
    check("errors have their own classes", () -> {
      try {
        kinesis.describeStream(r -> r.streamName("nowhere"));
      } catch (ResourceNotFoundException expected) {
        require(expected.statusCode() == 400, expected);
        require(expected.getMessage().contains("Stream nowhere under account"), expected);
        return null;
      } catch (KinesisException other) {
        throw new AssertionError(other);
      }
      throw new AssertionError("no error");
    });
    check("delete, wait", () -> {
      kinesis.deleteStream(r -> r.streamName(stream));
      kinesis.waiter().waitUntilStreamNotExists(r -> r.streamName(stream));
      return null;
    });
    EveryOperation every = new EveryOperation(kinesis, async, System.getenv("AWS_REGION"));
    every.run(Path.of(arguments[1]), Interop::check);
    System.out.println("covered Java SDK 2, " + ENCODING.substring("Java, ".length()) + ": "
        + String.join(",", every.covered()));
    kinesis.close();
    async.close();
    System.out.println(passed + " passed, " + failed + " failed, 0 skipped");
    System.exit(failed > 0 ? 1 : 0);
  }
}
