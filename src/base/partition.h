// base/partition.h: the partitions of AWS, which every ARN names first: "aws", "aws-cn", …
// source: AWS's own list of partitions, as botocore carries it (data/partitions.json)
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace millrace {

struct Partition {
  std::string_view regions;  // how their names begin
  std::string_view name;
};
inline constexpr std::array<Partition, 7> kOtherPartitions = {{{"cn-", "aws-cn"},
                                                               {"us-gov-", "aws-us-gov"},
                                                               {"us-iso-", "aws-iso"},
                                                               {"us-isob-", "aws-iso-b"},
                                                               {"eu-isoe-", "aws-iso-e"},
                                                               {"us-isof-", "aws-iso-f"},
                                                               {"eusc-", "aws-eusc"}}};

constexpr bool is_partition(std::string_view name) {
  return name == "aws" || std::any_of(kOtherPartitions.begin(), kOtherPartitions.end(),
                                      [name](const Partition& other) { return other.name == name; });
}

// Whether an ARN of the partition `name` can speak of something in `region`. This server writes "aws" in its
// own ARNs whatever its region is called, so that always can.
constexpr bool is_partition_of(std::string_view region, std::string_view name) {
  return name == "aws" || std::any_of(kOtherPartitions.begin(), kOtherPartitions.end(),
                                      [region, name](const Partition& other) {
                                        return other.name == name && region.starts_with(other.regions);
                                      });
}

}  // namespace millrace
