// cluster/bound_store.h: the store of a data folder's control chains: what is put into it says whose it is,
// and the folder is told how far each chain reaches.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "cluster/control_log.h"
#include "store/object_store.h"
#include "store/origin.h"

namespace millrace::cluster {

// inner    the objects
// origin   of this start
// marks    borrowed; outlives the store
// parts    "control": marks are of "control/CHAIN"
// chains   each chain, as it was read, by its name; their contents are not needed
std::unique_ptr<store::ObjectStore> bind_store(std::unique_ptr<store::ObjectStore> inner,
                                               store::Origin origin, store::PartMarks& marks,
                                               std::string parts, std::map<std::string, Chain> chains);

}  // namespace millrace::cluster
