// broker/damaged_records.h: a damaged block of the log, by the names of stream and shard.
#pragma once

#include "broker/broker.h"
#include "broker/catalog.h"
#include "log/log.h"

namespace millrace::broker {

DamagedRecords name_damaged(const Catalog& catalog, const log::DamagedBlock& block);

}  // namespace millrace::broker
