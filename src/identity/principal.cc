#include "identity/principal.h"

#include <atomic>
#include <utility>

#include "identity/directory.h"

namespace millrace::identity {

std::uint64_t next_serial() {
  static std::atomic<std::uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

std::shared_ptr<const Principal> root_principal(std::string account, std::string access_key) {
  auto root = std::make_shared<Principal>();
  root->kind = Principal::Kind::kRoot;
  root->arn = "arn:aws:iam::" + account + ":root";
  root->id = account;
  root->name = "root";
  root->account = std::move(account);
  root->access_key = std::move(access_key);
  root->serial = next_serial();
  return root;
}

std::shared_ptr<const Principal> unchecked_principal() {
  static const auto everybody = [] {
    auto made = std::make_shared<Principal>();
    made->serial = next_serial();
    return std::shared_ptr<const Principal>(std::move(made));
  }();
  return everybody;
}

}  // namespace millrace::identity
