// kinesis/not_walked.h: the operations that every_operation_test does not call, and why.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace millrace::kinesis {

inline constexpr std::string_view kLater = "later";  // answered by InvalidArgumentException until then

// Any other reason names the test that calls it in both encodings.
inline const std::map<std::string, std::string_view, std::less<>> kNotWalked = {
    {"AcknowledgeDeadLetterQueueRecords", kLater},
    {"AcknowledgeQueueRecords", kLater},
    {"CreateChannel", kLater},
    {"CreateQueue", kLater},
    {"DeleteChannel", kLater},
    {"DeleteQueue", kLater},
    {"DescribeChannel", kLater},
    {"DescribeQueue", kLater},
    {"ListChannels", kLater},
    {"ListQueues", kLater},
    {"ReceiveDeadLetterQueueRecords", kLater},
    {"ReceiveQueueRecords", kLater},
    {"RestoreDeadLetterQueueRecords", kLater},
    {"UpdateChannel", kLater},
    {"UpdateDeadLetterQueueRecordsVisibility", kLater},
    {"UpdateQueue", kLater},
    {"UpdateQueueRecordsVisibility", kLater},
    {"SubscribeToShard", "fan_out_test.cc"},
    // The machine of these tests has no keys.
    {"StartStreamEncryption", "tests/clients/encryption.py; in CBOR, tests/interop's Java"},
    {"StopStreamEncryption", "tests/clients/encryption.py; in CBOR, tests/interop's Java"},
};

}  // namespace millrace::kinesis
