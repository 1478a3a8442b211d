// One worker of a KCL application, which tells on stdout what it does:
//   START shard   R shard key value   END shard   LOST shard   FAILED what
// Arguments: endpoint stream application worker polling|fanout failover-ms
import java.lang.reflect.Method;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.http.Protocol;
import software.amazon.awssdk.http.nio.netty.NettyNioAsyncHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.cloudwatch.CloudWatchAsyncClient;
import software.amazon.awssdk.services.dynamodb.DynamoDbAsyncClient;
import software.amazon.awssdk.services.kinesis.KinesisAsyncClient;
import software.amazon.kinesis.common.ConfigsBuilder;
import software.amazon.kinesis.common.InitialPositionInStream;
import software.amazon.kinesis.common.InitialPositionInStreamExtended;
import software.amazon.kinesis.coordinator.Scheduler;
import software.amazon.kinesis.exceptions.ShutdownException;
import software.amazon.kinesis.leases.LeaseManagementConfig;
import software.amazon.kinesis.lifecycle.events.InitializationInput;
import software.amazon.kinesis.lifecycle.events.LeaseLostInput;
import software.amazon.kinesis.lifecycle.events.ProcessRecordsInput;
import software.amazon.kinesis.lifecycle.events.ShardEndedInput;
import software.amazon.kinesis.lifecycle.events.ShutdownRequestedInput;
import software.amazon.kinesis.processor.ShardRecordProcessor;
import software.amazon.kinesis.processor.SingleStreamTracker;
import software.amazon.kinesis.retrieval.KinesisClientRecord;
import software.amazon.kinesis.retrieval.fanout.FanOutConfig;
import software.amazon.kinesis.retrieval.polling.PollingConfig;

public final class KclWorker {
  static synchronized void tell(String line) {
    System.out.println(line);
    System.out.flush();
  }

  static final class Processor implements ShardRecordProcessor {
    private String shard;

    public void initialize(InitializationInput input) {
      shard = input.shardId();
      tell("START " + shard);
    }

    public void processRecords(ProcessRecordsInput input) {
      for (KinesisClientRecord record : input.records()) {
        tell("R " + shard + " " + record.partitionKey() + " " + StandardCharsets.UTF_8.decode(record.data()));
      }
      if (input.records().isEmpty()) return;
      try {
        input.checkpointer().checkpoint();
      } catch (ShutdownException taken) {
        // Another worker has the lease since, and goes on from the last checkpoint.
      } catch (Exception failure) {
        tell("FAILED checkpoint " + failure);
      }
    }

    public void leaseLost(LeaseLostInput input) {
      tell("LOST " + shard);
    }

    public void shardEnded(ShardEndedInput input) {
      try {
        input.checkpointer().checkpoint();
        tell("END " + shard);
      } catch (ShutdownException taken) {
        tell("LOST " + shard);  // a worker that was added has taken the lease meanwhile, and comes to the end again
      } catch (Exception failure) {
        tell("FAILED checkpoint at the end " + failure);
      }
    }

    public void shutdownRequested(ShutdownRequestedInput input) {
      try {
        input.checkpointer().checkpoint();
      } catch (Exception failure) {
        tell("FAILED checkpoint at shutdown " + failure);
      }
    }
  }

  // Settings that only KCL 3 has.
  static void set(Object config, String name, Class<?> type, Object value) {
    try {
      Method setter = config.getClass().getMethod(name, type);
      setter.invoke(config, value);
    } catch (NoSuchMethodException absent) {
      // KCL 2
    } catch (ReflectiveOperationException failure) {
      tell("FAILED to set " + name + " " + failure);
    }
  }

  public static void main(String[] arguments) {
    URI endpoint = URI.create(arguments[0]);
    String stream = arguments[1];
    boolean fanOut = arguments[4].equals("fanout");
    long failoverMs = Long.parseLong(arguments[5]);
    var credentials = StaticCredentialsProvider.create(
        AwsBasicCredentials.create(System.getenv("AWS_ACCESS_KEY_ID"), System.getenv("AWS_SECRET_ACCESS_KEY")));
    Region region = Region.of(System.getenv("AWS_REGION"));
    KinesisAsyncClient kinesis =
        KinesisAsyncClient.builder()
            .endpointOverride(endpoint)
            .region(region)
            .credentialsProvider(credentials)
            .httpClientBuilder(NettyNioAsyncHttpClient.builder().protocol(Protocol.HTTP2).maxConcurrency(1_000))
            .build();
    DynamoDbAsyncClient dynamo =
        DynamoDbAsyncClient.builder()
            .endpointOverride(endpoint)
            .region(region)
            .credentialsProvider(credentials)
            .build();
    CloudWatchAsyncClient cloudWatch =
        CloudWatchAsyncClient.builder()
            .endpointOverride(endpoint)
            .region(region)
            .credentialsProvider(credentials)
            .build();
    var start = InitialPositionInStreamExtended.newInitialPosition(InitialPositionInStream.TRIM_HORIZON);
    var configs =
        new ConfigsBuilder(
            new SingleStreamTracker(stream, start), arguments[2], kinesis, dynamo, cloudWatch, arguments[3], Processor::new);
    LeaseManagementConfig leases = configs.leaseManagementConfig();
    leases.failoverTimeMillis(failoverMs).shardSyncIntervalMillis(5_000);
    set(leases, "leasesRecoveryAuditorExecutionFrequencyMillis", long.class, 5_000L);
    set(leases, "dynamoDbLockBasedLeaderLeaseDurationInMillis", long.class, 2 * failoverMs);
    set(leases, "dynamoDbLockBasedLeaderHeartbeatPeriodInMillis", long.class, failoverMs / 2);
    var coordinator = configs.coordinatorConfig().parentShardPollIntervalMillis(1_000).shardConsumerDispatchPollIntervalMillis(200);
    var metrics = configs.metricsConfig().metricsBufferTimeMillis(5_000);
    var retrieval = configs.retrievalConfig();
    retrieval.retrievalSpecificConfig(
        fanOut
            ? new FanOutConfig(kinesis).streamName(stream).applicationName(arguments[2])
            : new PollingConfig(stream, kinesis).idleTimeBetweenReadsInMillis(250));
    Scheduler scheduler =
        new Scheduler(
            configs.checkpointConfig(),
            coordinator,
            leases,
            configs.lifecycleConfig(),
            metrics,
            configs.processorConfig(),
            retrieval);
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  try {
                    scheduler.startGracefulShutdown().get(20, java.util.concurrent.TimeUnit.SECONDS);
                  } catch (Exception late) {
                    tell("FAILED shutdown " + late);
                  }
                }));
    scheduler.run();
  }
}
