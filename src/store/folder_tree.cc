#include "store/folder_tree.h"

#include <filesystem>
#include <string_view>
#include <system_error>

namespace millrace::store {
namespace {

namespace fs = std::filesystem;

Error refused(std::string_view what, const std::string& path, const std::error_code& cause) {
  return {ErrorKind::kUnavailable, "cannot " + std::string(what) + " " + path + ": " + cause.message()};
}

}  // namespace

Result<bool> is_new_or_empty(const std::string& folder) {
  std::error_code cause;
  if (!fs::exists(folder, cause)) {
    if (cause) return refused("look at", folder, cause);
    return true;
  }
  if (!fs::is_directory(folder, cause)) return Error{ErrorKind::kUnavailable, folder + " is no folder"};
  const bool empty = fs::is_empty(folder, cause);
  if (cause) return refused("look into", folder, cause);
  return empty;
}

Result<std::string> real_path(const std::string& path) {
  std::error_code cause;
  fs::path absolute = fs::absolute(path, cause);
  if (!cause) absolute = fs::weakly_canonical(absolute, cause);
  if (cause) return refused("find", path, cause);
  if (!absolute.has_filename()) absolute = absolute.parent_path();
  return absolute.string();
}

bool is_folder(const std::string& path) {
  std::error_code cause;
  return fs::is_directory(fs::symlink_status(path, cause));
}

bool is_file(const std::string& path) {
  std::error_code cause;
  return fs::is_regular_file(fs::symlink_status(path, cause));
}

Result<void> remove_tree(const std::string& folder, std::string_view last) {
  std::error_code cause;
  for (fs::directory_iterator at(folder, cause), end; !cause && at != end; at.increment(cause)) {
    if (at->path().filename() == last) continue;
    fs::remove_all(at->path(), cause);
    if (cause) break;
  }
  if (cause) return refused("remove", folder, cause);
  return remove_tree(folder);
}

Result<void> remove_tree(const std::string& folder) {
  std::error_code cause;
  fs::remove_all(folder, cause);
  if (cause) return refused("remove", folder, cause);
  return {};
}

bool link_file(const std::string& from, const std::string& to, std::uint64_t bytes) {
  std::error_code cause;
  if (fs::file_size(from, cause) != bytes || cause) return false;
  fs::create_hard_link(from, to, cause);
  return !cause;
}

Result<void> sync_folders(Disk& disk, const std::string& root) {
  std::error_code cause;
  for (fs::recursive_directory_iterator at(root, cause), end; !cause && at != end; at.increment(cause))
    if (at->is_directory(cause)) MR_TRY(disk.sync_folder(at->path().lexically_relative(root).string()));
  if (cause) return refused("read", root, cause);
  return disk.sync_folder("");
}

}  // namespace millrace::store
