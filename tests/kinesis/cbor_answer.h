// kinesis/cbor_answer.h: answers in CBOR, as nlohmann's reader takes them.
#pragma once

#include <string>
#include <string_view>

#include "kinesis/kinesis_machine.h"

namespace millrace::kinesis {

// Times without their tag, which that reader does not know: of members whose names end in "Timestamp" or
// "At".
inline Json cbor_decoded(std::string bytes) {
  for (const std::string_view tagged : {"Timestamp\xc1", "At\xc1"})
    for (auto at = bytes.find(tagged); at != std::string::npos; at = bytes.find(tagged, at))
      bytes.erase(at + tagged.size() - 1, 1);
  return Json::from_cbor(bytes);
}

}  // namespace millrace::kinesis
