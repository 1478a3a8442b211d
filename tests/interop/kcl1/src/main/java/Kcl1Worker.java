// One worker of an application of KCL 1, on the first SDK for Java, as Spark's connector still is. Tells the same lines
// as KclWorker: START shard   R shard key value   END shard   LOST shard   FAILED what
// Arguments: endpoint stream application worker polling failover-ms
import com.amazonaws.auth.AWSStaticCredentialsProvider;
import com.amazonaws.auth.BasicAWSCredentials;
import com.amazonaws.client.builder.AwsClientBuilder.EndpointConfiguration;
import com.amazonaws.services.cloudwatch.AmazonCloudWatchClientBuilder;
import com.amazonaws.services.dynamodbv2.AmazonDynamoDBClientBuilder;
import com.amazonaws.services.kinesis.AmazonKinesisClientBuilder;
import com.amazonaws.services.kinesis.clientlibrary.exceptions.ShutdownException;
import com.amazonaws.services.kinesis.clientlibrary.interfaces.v2.IRecordProcessor;
import com.amazonaws.services.kinesis.clientlibrary.lib.worker.InitialPositionInStream;
import com.amazonaws.services.kinesis.clientlibrary.lib.worker.KinesisClientLibConfiguration;
import com.amazonaws.services.kinesis.clientlibrary.lib.worker.ShutdownReason;
import com.amazonaws.services.kinesis.clientlibrary.lib.worker.Worker;
import com.amazonaws.services.kinesis.clientlibrary.types.InitializationInput;
import com.amazonaws.services.kinesis.clientlibrary.types.ProcessRecordsInput;
import com.amazonaws.services.kinesis.clientlibrary.types.ShutdownInput;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;

public final class Kcl1Worker {
  static synchronized void tell(String line) {
    System.out.println(line);
    System.out.flush();
  }

  static final class Processor implements IRecordProcessor {
    private String shard;

    public void initialize(InitializationInput input) {
      shard = input.getShardId();
      tell("START " + shard);
    }

    public void processRecords(ProcessRecordsInput input) {
      for (var record : input.getRecords()) {
        tell("R " + shard + " " + record.getPartitionKey() + " " + StandardCharsets.UTF_8.decode(record.getData()));
      }
      if (input.getRecords().isEmpty()) return;
      try {
        input.getCheckpointer().checkpoint();
      } catch (ShutdownException taken) {
        // Another worker has the lease since, and goes on from the last checkpoint.
      } catch (Exception failure) {
        tell("FAILED checkpoint " + failure);
      }
    }

    public void shutdown(ShutdownInput input) {
      if (input.getShutdownReason() != ShutdownReason.TERMINATE) {
        tell("LOST " + shard);
        return;
      }
      try {
        input.getCheckpointer().checkpoint();
        tell("END " + shard);
      } catch (ShutdownException taken) {
        tell("LOST " + shard);  // a worker that was added has taken the lease meanwhile, and comes to the end again
      } catch (Exception failure) {
        tell("FAILED checkpoint at the end " + failure);
      }
    }
  }

  public static void main(String[] arguments) {
    var endpoint = new EndpointConfiguration(arguments[0], System.getenv("AWS_REGION"));
    var credentials =
        new AWSStaticCredentialsProvider(
            new BasicAWSCredentials(System.getenv("AWS_ACCESS_KEY_ID"), System.getenv("AWS_SECRET_ACCESS_KEY")));
    var settings =
        new KinesisClientLibConfiguration(arguments[2], arguments[1], credentials, arguments[3])
            .withInitialPositionInStream(InitialPositionInStream.TRIM_HORIZON)
            .withFailoverTimeMillis(Long.parseLong(arguments[5]))
            .withIdleTimeBetweenReadsInMillis(250)
            .withParentShardPollIntervalMillis(1_000)
            .withShardSyncIntervalMillis(5_000)
            .withMetricsBufferTimeMillis(5_000);
    Worker worker =
        new Worker.Builder()
            .recordProcessorFactory(Processor::new)
            .config(settings)
            .kinesisClient(
                AmazonKinesisClientBuilder.standard()
                    .withEndpointConfiguration(endpoint)
                    .withCredentials(credentials)
                    .build())
            .dynamoDBClient(
                AmazonDynamoDBClientBuilder.standard()
                    .withEndpointConfiguration(endpoint)
                    .withCredentials(credentials)
                    .build())
            .cloudWatchClient(
                AmazonCloudWatchClientBuilder.standard()
                    .withEndpointConfiguration(endpoint)
                    .withCredentials(credentials)
                    .build())
            .build();
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  try {
                    worker.startGracefulShutdown().get(20, TimeUnit.SECONDS);
                  } catch (Exception late) {
                    tell("FAILED shutdown " + late);
                  }
                }));
    worker.run();
  }
}
