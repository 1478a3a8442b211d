#include "app/admin.h"

#include <fmt/format.h>

#include <cstdio>
#include <nlohmann/json.hpp>
#include <utility>

#include "app/document_file.h"
#include "app/exit_code.h"
#include "app/server_call.h"
#include "base/result.h"

namespace millrace::app {
namespace {

using Json = nlohmann::ordered_json;

Result<Json> body_of(const AdminCall& call) {
  Json body = Json::object();
  for (const auto& [field, text] : call.fields) body[field] = text;
  for (const auto& [field, number] : call.numbers) body[field] = number;
  for (const auto& [field, path] : call.files) {
    MR_ASSIGN(body[field], read_document(path));
  }
  return body;
}

// One line: a signature that does not match is told with all that should have been signed.
int fail(int code, const std::string& text) {
  std::fprintf(stderr, "millrace: admin: %s\n", text.substr(0, text.find('\n')).c_str());
  return code;
}

}  // namespace

int run_admin(const AdminCall& call) {
  const auto who = credentials_of_environment();
  if (!who.ok()) return fail(kBadUsage, who.error().text);
  const auto body = body_of(call);
  if (!body.ok()) return fail(kBadUsage, body.error().text);
  const auto answer = ask_admin(call.server, *who, call.operation, *body);
  if (!answer.ok()) return fail(kFailed, answer.error().text);
  const std::string text = call.prints_document ? answer->value("Document", "")
                           : answer->empty()    ? ""
                                                : answer->dump(2);
  if (text.empty()) return 0;
  return std::puts(text.c_str()) < 0 || std::fflush(stdout) != 0 ? kFailed : 0;
}

}  // namespace millrace::app
