// fuzz/damage.h: edits of a data folder's files, drawn from a fuzzer's input. Those of disks and people (bits
// flip, blocks go missing or turn up elsewhere, files are cut, swapped, removed) put only noise and the
// folder's own bytes anywhere; those of a forger put any bytes, and can make the sums right again.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string>

#include "fuzz/drawn_input.h"
#include "fuzz/log_folder.h"
#include "fuzz/reseal.h"
#include "log/journal_file.h"
#include "log/manifest_store.h"
#include "log/segment.h"

namespace millrace::log {

class Damage {
 public:
  enum class By : std::uint8_t { kAccident, kForger };

  Damage(Files& files, fuzz::DrawnInput& draw, By by) : files_(files), draw_(draw), by_(by) {}

  // Edits until the input ends; at most kEditsMax.
  void run() {
    for (; edits_ < kEditsMax && !draw_.empty() && !files_.empty(); ++edits_) {
      edit();
      if (by_ == By::kForger && draw_.below(4) != 0)
        for (auto& [path, content] : files_) reseal(files_, path, content);
    }
  }
  // One flipped bit, or one file cut short, and nothing else: what must never cost a record in silence.
  bool is_simple() const { return edits_ == 1 && simple_ == 1; }

 private:
  static constexpr std::size_t kEditsMax = 12;
  static constexpr std::size_t kFileBytesMax = 256u << 10;

  Files::iterator some_file() {
    auto file = files_.begin();
    std::advance(file, static_cast<std::ptrdiff_t>(draw_.below(files_.size())));
    return file;
  }
  std::size_t some_place(const std::string& content) {
    const std::uint64_t drawn = draw_.number(3);
    const bool in_block = (drawn & 1) != 0;  // else where frames, sectors and headers begin
    return std::min<std::size_t>(in_block ? drawn >> 1 : (drawn >> 1) % 2'048 * 512, content.size());
  }
  std::string noise(std::size_t bytes) {
    const std::uint8_t kind = draw_.byte();
    if (kind < 2) return std::string(bytes, kind == 0 ? '\0' : '\xff');
    std::string made(bytes, '\0');
    sim::SeededRandom random{sim::Seed{kind}};
    random.fill({reinterpret_cast<std::uint8_t*>(made.data()), made.size()});
    return made;
  }
  std::string some_bytes() {
    const std::size_t bytes = draw_.below(2) == 0 ? draw_.byte() : draw_.number(2);
    if (by_ == By::kAccident) return noise(bytes);
    return std::string(draw_.take(bytes));
  }
  std::string some_path() {
    const std::uint64_t number = draw_.byte();
    switch (draw_.below(6)) {
      case 0:
        return segment_path(number);
      case 1:
        return "log/manifest/" + manifest_name(number);
      case 2:
        return journal_path(draw_.byte() % 4, number) + ".new";
      case 3:
        return "log/manifest/" + manifest_name(number) + ".tmp-1";
      case 4:
        return fmt::format("log/journal/{}/{}.mrj", number, number);
      default:
        return journal_path(draw_.byte() % 4, number);
    }
  }

  void edit() {
    const auto file = some_file();
    std::string& content = file->second;
    switch (draw_.below(10)) {
      case 0:
        return flip(content);
      case 1:
        return cut(content);
      case 2:
        return overwrite(content, some_place(content), some_bytes());
      case 3: {
        const std::string& from = some_file()->second;
        const std::string copied = from.substr(some_place(from), std::size_t{draw_.byte()} * 64);
        return overwrite(content, some_place(content), copied);
      }
      case 4:
        content.erase(some_place(content), draw_.number(2));
        return;
      case 5:
        content.insert(some_place(content), some_bytes());
        return;
      case 6:
        files_.erase(file);
        return;
      case 7:
        std::swap(content, some_file()->second);
        return;
      case 8:
        files_[some_path()] = draw_.below(2) == 0 ? content : some_bytes();
        return;
      default: {
        std::string moved = std::move(content);
        files_.erase(file);
        files_[some_path()] = std::move(moved);
      }
    }
  }
  void flip(std::string& content) {
    if (content.empty()) return;
    const std::uint64_t bit = draw_.number(3) % (content.size() * 8);
    content[bit / 8] = static_cast<char>(content[bit / 8] ^ (1 << bit % 8));
    ++simple_;
  }
  void cut(std::string& content) {
    content.resize(std::min<std::size_t>(draw_.number(3), content.size()));
    ++simple_;
  }
  static void overwrite(std::string& content, std::size_t at, const std::string& bytes) {
    if (at + bytes.size() > kFileBytesMax) return;
    if (content.size() < at + bytes.size()) content.resize(at + bytes.size());
    content.replace(at, bytes.size(), bytes);
  }

  Files& files_;
  fuzz::DrawnInput& draw_;
  const By by_;
  std::size_t edits_ = 0;
  std::size_t simple_ = 0;
};

}  // namespace millrace::log
