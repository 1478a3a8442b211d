#include "behaviour.h"

#include <fmt/format.h>

#include <array>
#include <iterator>

namespace millrace::demo {
namespace {

constexpr std::uint64_t kUsers = 1'000'000;
constexpr std::uint64_t kPages = 100'000;
constexpr std::size_t kSessions = 20'000;  // under way at once
constexpr double kUserSkew = 0.8, kPageSkew = 1.1, kWordSkew = 1.05;

constexpr std::array<std::string_view, 32> kWords = {
    "shoes", "jacket",    "red dress", "phone case", "laptop", "headphones", "coffee",   "tent",
    "bike",  "lamp",      "desk",      "chair",      "watch",  "camera",     "backpack", "socks",
    "gift",  "toy train", "puzzle",    "book",       "pen",    "mug",        "pillow",   "blanket",
    "knife", "pan",       "kettle",    "rug",        "plant",  "vase",       "mirror",   "clock"};
constexpr std::array<std::string_view, 5> kElements = {"add-to-cart", "image", "review", "related", "menu"};

// What follows what: page view, click, search, purchase; what is left of 1 ends the session.
constexpr std::array<std::array<double, 4>, 4> kNext = {{
    {0.40, 0.35, 0.10, 0.02},
    {0.50, 0.20, 0.05, 0.08},
    {0.20, 0.55, 0.15, 0.00},
    {0.30, 0.00, 0.00, 0.00},
}};

const char* pick_device(double unit) { return unit < 0.60 ? "mobile" : unit < 0.95 ? "desktop" : "tablet"; }

}  // namespace

Behaviour::Behaviour(std::uint64_t seed)
    : dice_(seed), users_(kUsers, kUserSkew), pages_(kPages, kPageSkew), words_(kWords.size(), kWordSkew) {
  sessions_.reserve(kSessions);
  for (std::size_t i = 0; i < kSessions; ++i) sessions_.push_back(begin_session());
}

Behaviour::Session Behaviour::begin_session() {
  return {.user = users_(dice_),
          .id = dice_.next(),
          .page = pages_(dice_),
          .last = Kind::kPageView,
          .device = pick_device(dice_.unit()),
          .begun = false};
}

BehaviourEvent Behaviour::next() {
  Session& session = sessions_[dice_.below(sessions_.size())];
  std::uint64_t page_before = session.begun ? session.page : 0;
  if (!session.begun) {
    session.begun = true;  // a session begins with a page view
  } else {
    double left = dice_.unit();
    std::size_t kind = 0;
    const auto& next = kNext[static_cast<std::size_t>(session.last)];
    while (kind < next.size() && left >= next[kind]) left -= next[kind++];
    if (kind == next.size()) {
      session = begin_session();
      session.begun = true;
      page_before = 0;
    } else {
      session.last = static_cast<Kind>(kind);
      if (session.last == Kind::kPageView) session.page = pages_(dice_);
    }
  }
  write(session, page_before);
  return {user_, json_};
}

void Behaviour::write(const Session& session, std::uint64_t page_before) {
  constexpr std::array<std::string_view, 4> kNames = {"page_view", "click", "search", "purchase"};
  user_.clear();
  fmt::format_to(std::back_inserter(user_), "u-{}", session.user);
  json_.clear();
  auto out = std::back_inserter(json_);
  fmt::format_to(out, R"({{"type":"{}","user":"{}","session":"{:016x}","device":"{}")",
                 kNames[static_cast<std::size_t>(session.last)], user_, session.id, session.device);
  switch (session.last) {
    case Kind::kPageView:
      fmt::format_to(out, R"(,"page":"/p/{}","referrer":"{}"}})", session.page,
                     page_before == 0 ? "direct" : fmt::format("/p/{}", page_before));
      break;
    case Kind::kClick:
      fmt::format_to(out, R"(,"page":"/p/{}","element":"{}"}})", session.page,
                     kElements[dice_.below(kElements.size())]);
      break;
    case Kind::kSearch:
      fmt::format_to(out, R"(,"query":"{}","results":{}}})", kWords[words_(dice_) - 1], dice_.below(500));
      break;
    case Kind::kPurchase:
      fmt::format_to(out, R"(,"product":"/p/{}","amount_cents":{},"currency":"EUR"}})", session.page,
                     500 + dice_.below(20'000));
      break;
  }
}

}  // namespace millrace::demo
