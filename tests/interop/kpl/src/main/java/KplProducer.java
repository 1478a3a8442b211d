// The KPL with its native daemon, aggregating, as fast as it goes.
// Arguments: port of a TLS server on 127.0.0.1, stream, records, keys, data bytes, file for what was acknowledged.
// The n-th record of a key has the data "KEY/n/" and a filling; the file has a line "KEY/n" for each that was acknowledged.
import com.google.common.util.concurrent.FutureCallback;
import com.google.common.util.concurrent.Futures;
import com.google.common.util.concurrent.MoreExecutors;
import java.io.PrintWriter;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicInteger;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.kinesis.producer.KinesisProducer;
import software.amazon.kinesis.producer.KinesisProducerConfiguration;
import software.amazon.kinesis.producer.UserRecordResult;

public final class KplProducer {
  private static final int OUTSTANDING_MAX = 20_000;

  public static void main(String[] arguments) throws Exception {
    int port = Integer.parseInt(arguments[0]);
    String stream = arguments[1];
    int count = Integer.parseInt(arguments[2]);
    int keys = Integer.parseInt(arguments[3]);
    String filling = "x".repeat(Integer.parseInt(arguments[4]));
    var credentials = AwsBasicCredentials.create(System.getenv("AWS_ACCESS_KEY_ID"), System.getenv("AWS_SECRET_ACCESS_KEY"));
    var settings =
        new KinesisProducerConfiguration()
            .setRegion(System.getenv("AWS_REGION"))
            .setCredentialsProvider(StaticCredentialsProvider.create(credentials))
            .setKinesisEndpoint("127.0.0.1")
            .setKinesisPort(port)
            .setCloudwatchEndpoint("127.0.0.1")
            .setCloudwatchPort(port)
            .setStsEndpoint("127.0.0.1")
            .setStsPort(port)
            .setVerifyCertificate(false)
            .setAggregationEnabled(true)
            .setRateLimit(1_000_000)
            .setRecordTtl(300_000)
            .setRequestTimeout(60_000)
            .setMetricsUploadDelay(2_000);
    KinesisProducer producer = new KinesisProducer(settings);
    AtomicInteger failures = new AtomicInteger();
    long began = System.nanoTime();
    try (PrintWriter acknowledged = new PrintWriter(arguments[5])) {
      for (int i = 0; i < count; i++) {
        while (producer.getOutstandingRecordsCount() > OUTSTANDING_MAX) Thread.sleep(1);
        String key = "key-" + i % keys;
        String name = key + "/" + i / keys;
        ByteBuffer data = ByteBuffer.wrap((name + "/" + filling).getBytes(StandardCharsets.UTF_8));
        Futures.addCallback(
            producer.addUserRecord(stream, key, data),
            new FutureCallback<UserRecordResult>() {
              public void onSuccess(UserRecordResult result) {
                acknowledged.println(name);
              }

              public void onFailure(Throwable why) {
                if (failures.getAndIncrement() < 5) System.out.println("FAILED " + name + " " + why);
              }
            },
            MoreExecutors.directExecutor());
      }
      producer.flushSync();
    }
    double seconds = (System.nanoTime() - began) / 1e9;
    System.out.printf("RATE %.0f %.1f%n", count / seconds, seconds);
    System.out.println("FAILURES " + failures.get());
    Thread.sleep(3_000); // for the metrics
    producer.destroy();
    System.exit(0);
  }
}
