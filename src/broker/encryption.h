// broker/encryption.h: which data keys streams have, told to what unwraps them.
#pragma once

#include "broker/broker.h"
#include "broker/catalog.h"
#include "keys/data_keys.h"

namespace millrace::broker {

// What a stream's data keys are bound to when they are wrapped, as the service has it: its ARN.
keys::EncryptionContext encryption_context(const BrokerOptions& options, const Stream& stream);

// Tells of keys that the newer catalog has, and of those that only the older one has.
void tell_keys(const BrokerOptions& options, const Catalog& older, const Catalog& newer,
               keys::DataKeys& keys);

}  // namespace millrace::broker
