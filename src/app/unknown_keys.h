// app/unknown_keys.h: tells the log of stored policies whose conditions ask about what this server does not
// know: they were put before such policies were refused, or with --unknown-condition-keys take.
// docs/identity.md
#pragma once

#include "broker/catalog.h"
#include "identity/identities.h"
#include "keys/key_state.h"

namespace millrace::app {

// A warning for each policy, which names it and its keys.
void warn_of_unknown_keys(const identity::Identities& identities, const broker::Catalog& catalog,
                          const keys::KeyState& keys);

}  // namespace millrace::app
