// Each operation once through the AWS SDK for Java 2: the steps of tests/clients/every_operation.json, read with Java's
// own means and turned into the SDK's requests by the descriptions that its classes carry (SdkPojo).
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.core.SdkField;
import software.amazon.awssdk.core.SdkPojo;
import software.amazon.awssdk.core.protocol.MarshallingType;
import software.amazon.awssdk.core.traits.ListTrait;
import software.amazon.awssdk.protocols.jsoncore.JsonNode;
import software.amazon.awssdk.services.kinesis.KinesisAsyncClient;
import software.amazon.awssdk.services.kinesis.KinesisClient;
import software.amazon.awssdk.services.kinesis.model.ConsumerStatus;
import software.amazon.awssdk.services.kinesis.model.StreamStatus;
import software.amazon.awssdk.services.kinesis.model.SubscribeToShardRequest;
import software.amazon.awssdk.services.kinesis.model.SubscribeToShardResponseHandler;
import software.amazon.awssdk.utils.builder.Buildable;

final class EveryOperation {
  private final KinesisClient kinesis;
  private final KinesisAsyncClient async;
  private final Map<String, Object> known = new HashMap<>();
  private final TreeSet<String> covered = new TreeSet<>();

  EveryOperation(KinesisClient kinesis, KinesisAsyncClient async, String region) {
    this.kinesis = kinesis;
    this.async = async;
    String name = "every-" + Long.toHexString(System.nanoTime());
    known.put("$name", name);
    known.put("$arn", "arn:aws:kinesis:" + region + ":000000000000:stream/" + name);
    known.put("$now", Instant.now().getEpochSecond());
  }

  TreeSet<String> covered() {
    return covered;
  }

  interface Check {
    void run(String name, java.util.concurrent.Callable<Void> body);
  }

  void run(Path steps, Check check) throws java.io.IOException {
    for (JsonNode step : JsonNode.parser().parse(Files.readString(steps)).asArray()) {
      String operation = step.field("call").get().asString();
      String method = Character.toLowerCase(operation.charAt(0)) + operation.substring(1);
      Class<?> type = requestClass(operation);
      if (type == null) {
        System.out.println("skip  Java: " + operation + ": this version does not know it");
        continue;
      }
      check.run(operation + ", once", () -> {
        SdkPojo answer = call(type, method, step.field("with").get());
        for (var expected : step.field("expect").map(JsonNode::asObject).orElse(Map.of()).entrySet()) {
          Object got = at(answer, expected.getKey());
          String wanted = String.valueOf(known.getOrDefault(expected.getValue().text(), expected.getValue().text()));
          if (!wanted.equals(String.valueOf(got))) throw new AssertionError(expected.getKey() + " is " + got);
        }
        for (var saved : step.field("save").map(JsonNode::asObject).orElse(Map.of()).entrySet()) {
          known.put(saved.getKey(), at(answer, saved.getValue().asString()));
        }
        String then = step.field("then").map(JsonNode::asString).orElse("");
        if (then.equals("active")) waitActive(this::streamIsActive);
        if (then.equals("consumer active")) waitActive(this::consumerIsActive);
        covered.add(operation);
        return null;
      });
    }
  }

  private boolean streamIsActive() {
    String name = (String) known.get("$name");
    return kinesis.describeStreamSummary(r -> r.streamName(name)).streamDescriptionSummary().streamStatus()
        == StreamStatus.ACTIVE;
  }

  private boolean consumerIsActive() {
    String arn = (String) known.get("$consumer");
    return kinesis.describeStreamConsumer(r -> r.consumerARN(arn)).consumerDescription().consumerStatus()
        == ConsumerStatus.ACTIVE;
  }

  private static void waitActive(BooleanSupplier isActive) throws InterruptedException {
    for (int i = 0; i < 600; i++) {
      if (isActive.getAsBoolean()) return;
      Thread.sleep(50);
    }
    throw new AssertionError("not ACTIVE within 30 s");
  }

  private static Class<?> requestClass(String operation) {
    try {
      return Class.forName("software.amazon.awssdk.services.kinesis.model." + operation + "Request");
    } catch (ClassNotFoundException unknown) {
      return null;
    }
  }

  private SdkPojo call(Class<?> type, String name, JsonNode members) throws Exception {
    Object builder = type.getMethod("builder").invoke(null);
    fill((SdkPojo) builder, members);
    Object request = ((Buildable) builder).build();
    if (request instanceof SubscribeToShardRequest subscribe) return firstEvent(subscribe);
    Method method = KinesisClient.class.getMethod(name, type);
    try {
      return (SdkPojo) method.invoke(kinesis, request);
    } catch (InvocationTargetException thrown) {
      throw (Exception) thrown.getCause();
    }
  }

  // Of a subscription, which only the asynchronous client has.
  private SdkPojo firstEvent(SubscribeToShardRequest request) throws Exception {
    CompletableFuture<SdkPojo> first = new CompletableFuture<>();
    CompletableFuture<Void> whole =
        async.subscribeToShard(
            request,
            SubscribeToShardResponseHandler.builder()
                .subscriber(
                    SubscribeToShardResponseHandler.Visitor.builder().onSubscribeToShardEvent(first::complete).build())
                .onError(first::completeExceptionally)
                .build());
    try {
      return first.get(30, TimeUnit.SECONDS);
    } finally {
      whole.cancel(true);
    }
  }

  // Sets the members of a builder, which describes them itself.
  private void fill(SdkPojo builder, JsonNode members) throws Exception {
    for (SdkField<?> field : builder.sdkFields()) {
      JsonNode value = members.asObject().get(field.locationName());
      if (value != null) field.set(builder, converted(field, value));
    }
  }

  private Object converted(SdkField<?> field, JsonNode value) throws Exception {
    MarshallingType<?> type = field.marshallingType();
    if (type == MarshallingType.LIST) {
      List<Object> list = new ArrayList<>();
      for (JsonNode item : value.asArray()) list.add(converted(field.getTrait(ListTrait.class).memberFieldInfo(), item));
      return list;
    }
    if (type == MarshallingType.MAP) {
      Map<String, String> map = new LinkedHashMap<>();
      value.asObject().forEach((key, item) -> map.put(key, item.asString()));
      return map;
    }
    if (type == MarshallingType.SDK_POJO) {
      SdkPojo inner = field.constructor().get();
      fill(inner, value);
      return ((Buildable) inner).build();
    }
    Object plain = known.getOrDefault(value.text(), value.text());
    if (type == MarshallingType.INTEGER) return Integer.valueOf(plain.toString());
    if (type == MarshallingType.BOOLEAN) return Boolean.valueOf(plain.toString());
    if (type == MarshallingType.INSTANT) return Instant.ofEpochSecond(Long.parseLong(plain.toString()));
    if (type == MarshallingType.SDK_BYTES) return SdkBytes.fromUtf8String(plain.toString());
    return plain.toString();
  }

  private static Object at(Object answer, String path) {
    for (String part : path.split("\\.")) {
      if (answer instanceof List<?> list) {
        answer = list.get(Integer.parseInt(part));
        continue;
      }
      Object next = null;
      for (SdkField<?> field : ((SdkPojo) answer).sdkFields()) {
        if (field.locationName().equals(part)) next = field.getValueOrDefault(answer);
      }
      answer = next;
    }
    return answer;
  }
}
