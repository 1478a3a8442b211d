// A Flink job in a cluster of its own process: reads a stream, holds each shard to its order, counts by key, and writes
// "number count" under the same key to another stream. It fails once, after a checkpoint, and goes on from there. Told on stdout:
//   CHECKPOINT   FAILS   RESTORED   DISORDER shard last sequence
// Arguments: endpoint source-stream sink-stream polling|efo|source
import java.io.IOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.RichMapFunction;
import org.apache.flink.api.common.restartstrategy.RestartStrategies;
import org.apache.flink.api.common.serialization.SimpleStringSchema;
import org.apache.flink.api.common.state.CheckpointListener;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.TypeHint;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.java.tuple.Tuple4;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.connector.kinesis.sink.KinesisStreamsSink;
import org.apache.flink.connector.kinesis.source.KinesisStreamsSource;
import org.apache.flink.kinesis.shaded.software.amazon.awssdk.services.kinesis.model.Record;
import org.apache.flink.runtime.state.FunctionInitializationContext;
import org.apache.flink.runtime.state.FunctionSnapshotContext;
import org.apache.flink.streaming.api.checkpoint.CheckpointedFunction;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.connectors.kinesis.FlinkKinesisConsumer;
import org.apache.flink.streaming.connectors.kinesis.serialization.KinesisDeserializationSchema;
import org.apache.flink.util.Collector;

public final class FlinkJob {
  private static final TypeInformation<Tuple4<String, String, String, String>> EVENT =
      TypeInformation.of(new TypeHint<Tuple4<String, String, String, String>>() {});  // shard, sequence number, key, number
  private static final AtomicBoolean checkpointed = new AtomicBoolean();
  private static final AtomicBoolean failed = new AtomicBoolean();

  static synchronized void tell(String line) {
    System.out.println(line);
    System.out.flush();
  }

  // For FlinkKinesisConsumer.
  static final class Event implements KinesisDeserializationSchema<Tuple4<String, String, String, String>> {
    public Tuple4<String, String, String, String> deserialize(
        byte[] data, String key, String sequence, long arrival, String stream, String shard) {
      return Tuple4.of(shard, sequence, key, new String(data, StandardCharsets.UTF_8));
    }

    public TypeInformation<Tuple4<String, String, String, String>> getProducedType() {
      return EVENT;
    }
  }

  // For KinesisStreamsSource.
  static final class EventOfRecord
      implements org.apache.flink.connector.kinesis.source.serialization.KinesisDeserializationSchema<
          Tuple4<String, String, String, String>> {
    public void deserialize(Record record, String stream, String shard, Collector<Tuple4<String, String, String, String>> out)
        throws IOException {
      out.collect(Tuple4.of(shard, record.sequenceNumber(), record.partitionKey(), record.data().asUtf8String()));
    }

    public TypeInformation<Tuple4<String, String, String, String>> getProducedType() {
      return EVENT;
    }
  }

  // By shard: sequence numbers only grow, across the job's failure too.
  static final class InOrder extends RichMapFunction<Tuple4<String, String, String, String>, Tuple4<String, String, String, String>> {
    private transient ValueState<String> last;

    @Override
    public void open(Configuration ignored) {
      last = getRuntimeContext().getState(new ValueStateDescriptor<>("last", String.class));
    }

    public Tuple4<String, String, String, String> map(Tuple4<String, String, String, String> event) throws IOException {
      if (last.value() != null && new BigInteger(event.f1).compareTo(new BigInteger(last.value())) <= 0) {
        tell("DISORDER " + event.f0 + " " + last.value() + " " + event.f1);
      }
      last.update(event.f1);
      return event;
    }
  }

  // By key: how many there have been; one process of the job fails once.
  static final class Count extends RichMapFunction<Tuple4<String, String, String, String>, String>
      implements CheckpointListener, CheckpointedFunction {
    private transient ValueState<Integer> count;
    private transient int sinceStart;

    @Override
    public void open(Configuration ignored) {
      count = getRuntimeContext().getState(new ValueStateDescriptor<>("count", Integer.class));
    }

    public String map(Tuple4<String, String, String, String> event) throws IOException {
      if (++sinceStart > 50 && checkpointed.get() && failed.compareAndSet(false, true)) {
        tell("FAILS");
        throw new IllegalStateException("the job fails once, as it should");
      }
      int now = count.value() == null ? 1 : count.value() + 1;
      count.update(now);
      return event.f2 + " " + event.f3 + " " + now;
    }

    public void notifyCheckpointComplete(long id) {
      if (checkpointed.compareAndSet(false, true)) tell("CHECKPOINT");
    }

    public void snapshotState(FunctionSnapshotContext ignored) {}

    public void initializeState(FunctionInitializationContext context) {
      if (context.isRestored()) tell("RESTORED");
    }
  }

  private static DataStream<Tuple4<String, String, String, String>> source(
      StreamExecutionEnvironment job, Properties aws, String stream, String mode) {
    if (mode.equals("source")) {
      Configuration settings = new Configuration();
      aws.stringPropertyNames().forEach(name -> settings.setString(name, aws.getProperty(name)));
      settings.setString("flink.stream.initpos", "TRIM_HORIZON");
      settings.setString("flink.shard.discovery.intervalmillis", "1000");
      String arn = "arn:aws:kinesis:" + aws.getProperty("aws.region") + ":000000000000:stream/" + stream;
      return job.fromSource(
          KinesisStreamsSource.<Tuple4<String, String, String, String>>builder()
              .setStreamArn(arn)
              .setSourceConfig(settings)
              .setDeserializationSchema(new EventOfRecord())
              .build(),
          WatermarkStrategy.noWatermarks(),
          "source",
          EVENT);
    }
    Properties settings = new Properties();
    settings.putAll(aws);
    settings.setProperty("flink.stream.initpos", "TRIM_HORIZON");
    settings.setProperty("flink.shard.discovery.intervalmillis", "1000");
    if (mode.equals("efo")) {
      settings.setProperty("flink.stream.recordpublisher", "EFO");
      settings.setProperty("flink.stream.efo.consumername", "flink");
    }
    return job.addSource(new FlinkKinesisConsumer<>(stream, new Event(), settings), EVENT);
  }

  public static void main(String[] arguments) throws Exception {
    Properties aws = new Properties();
    aws.setProperty("aws.endpoint", arguments[0]);
    aws.setProperty("aws.region", System.getenv("AWS_REGION"));
    StreamExecutionEnvironment job = StreamExecutionEnvironment.getExecutionEnvironment();
    job.setParallelism(2);
    job.enableCheckpointing(1_000);
    job.setRestartStrategy(RestartStrategies.fixedDelayRestart(1, 1_000));
    source(job, aws, arguments[1], arguments[3])
        .keyBy(event -> event.f0)
        .map(new InOrder())
        .keyBy(event -> event.f2)
        .map(new Count())
        .sinkTo(
            KinesisStreamsSink.<String>builder()
                .setKinesisClientProperties(aws)
                .setStreamName(arguments[2])
                .setSerializationSchema(new SimpleStringSchema())
                .setPartitionKeyGenerator(text -> text.substring(0, text.indexOf(' ')))
                .setFailOnError(true)
                .build());
    job.execute("interop");
  }
}
