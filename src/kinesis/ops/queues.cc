// The twelve operations on queues, which botocore 1.44.8 was the first to have: known by name, to come with
// queues. Until then they say so, whatever they are asked.

#include <fmt/format.h>

#include "kinesis/operation.h"

namespace millrace::kinesis::queues {
namespace {

struct QueueRequest : OnAccount {};
constexpr std::span<const Field> kQueueFields{};

template <const char* kName>
Task<Outcome> run(Call&, QueueRequest) {
  co_return invalid_argument(fmt::format("{} is not available in this release: queues come later.", kName));
}

template <const char* kName>
constexpr Operation queue_operation() {
  return operation<QueueRequest, kQueueFields, run<kName>>(kName);
}

constexpr char kAcknowledgeDeadLetterQueueRecordsName[] = "AcknowledgeDeadLetterQueueRecords";
constexpr char kAcknowledgeQueueRecordsName[] = "AcknowledgeQueueRecords";
constexpr char kCreateQueueName[] = "CreateQueue";
constexpr char kDeleteQueueName[] = "DeleteQueue";
constexpr char kDescribeQueueName[] = "DescribeQueue";
constexpr char kListQueuesName[] = "ListQueues";
constexpr char kReceiveDeadLetterQueueRecordsName[] = "ReceiveDeadLetterQueueRecords";
constexpr char kReceiveQueueRecordsName[] = "ReceiveQueueRecords";
constexpr char kRestoreDeadLetterQueueRecordsName[] = "RestoreDeadLetterQueueRecords";
constexpr char kUpdateDeadLetterQueueRecordsVisibilityName[] = "UpdateDeadLetterQueueRecordsVisibility";
constexpr char kUpdateQueueName[] = "UpdateQueue";
constexpr char kUpdateQueueRecordsVisibilityName[] = "UpdateQueueRecordsVisibility";

}  // namespace

extern const Operation kAcknowledgeDeadLetterQueueRecords;
const Operation kAcknowledgeDeadLetterQueueRecords =
    queue_operation<kAcknowledgeDeadLetterQueueRecordsName>();
extern const Operation kAcknowledgeQueueRecords;
const Operation kAcknowledgeQueueRecords = queue_operation<kAcknowledgeQueueRecordsName>();
extern const Operation kCreateQueue;
const Operation kCreateQueue = queue_operation<kCreateQueueName>();
extern const Operation kDeleteQueue;
const Operation kDeleteQueue = queue_operation<kDeleteQueueName>();
extern const Operation kDescribeQueue;
const Operation kDescribeQueue = queue_operation<kDescribeQueueName>();
extern const Operation kListQueues;
const Operation kListQueues = queue_operation<kListQueuesName>();
extern const Operation kReceiveDeadLetterQueueRecords;
const Operation kReceiveDeadLetterQueueRecords = queue_operation<kReceiveDeadLetterQueueRecordsName>();
extern const Operation kReceiveQueueRecords;
const Operation kReceiveQueueRecords = queue_operation<kReceiveQueueRecordsName>();
extern const Operation kRestoreDeadLetterQueueRecords;
const Operation kRestoreDeadLetterQueueRecords = queue_operation<kRestoreDeadLetterQueueRecordsName>();
extern const Operation kUpdateDeadLetterQueueRecordsVisibility;
const Operation kUpdateDeadLetterQueueRecordsVisibility =
    queue_operation<kUpdateDeadLetterQueueRecordsVisibilityName>();
extern const Operation kUpdateQueue;
const Operation kUpdateQueue = queue_operation<kUpdateQueueName>();
extern const Operation kUpdateQueueRecordsVisibility;
const Operation kUpdateQueueRecordsVisibility = queue_operation<kUpdateQueueRecordsVisibilityName>();

}  // namespace millrace::kinesis::queues
