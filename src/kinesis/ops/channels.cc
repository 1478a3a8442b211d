// CreateChannel, UpdateChannel, DescribeChannel, ListChannels, DeleteChannel: known by name, to come
// with delivery to S3 and Iceberg. Until then they say so, whatever they are asked.

#include <fmt/format.h>

#include "kinesis/operation.h"

namespace millrace::kinesis::channels {
namespace {

struct ChannelRequest : OnAccount {};
constexpr std::span<const Field> kFields{};

template <const char* kName>
Task<Outcome> run(Call&, ChannelRequest) {
  co_return invalid_argument(
      fmt::format("{} is not available in this release: channels come later, with delivery.", kName));
}

constexpr char kCreate[] = "CreateChannel";
constexpr char kUpdate[] = "UpdateChannel";
constexpr char kDescribe[] = "DescribeChannel";
constexpr char kList[] = "ListChannels";
constexpr char kDelete[] = "DeleteChannel";

}  // namespace

extern const Operation kCreateChannel;
const Operation kCreateChannel = operation<ChannelRequest, kFields, run<kCreate>>(kCreate);
extern const Operation kUpdateChannel;
const Operation kUpdateChannel = operation<ChannelRequest, kFields, run<kUpdate>>(kUpdate);
extern const Operation kDescribeChannel;
const Operation kDescribeChannel = operation<ChannelRequest, kFields, run<kDescribe>>(kDescribe);
extern const Operation kListChannels;
const Operation kListChannels = operation<ChannelRequest, kFields, run<kList>>(kList);
extern const Operation kDeleteChannel;
const Operation kDeleteChannel = operation<ChannelRequest, kFields, run<kDelete>>(kDelete);

}  // namespace millrace::kinesis::channels
