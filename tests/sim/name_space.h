// sim/name_space.h: the folders of a simulated disk: the names that programs see, and those that a power loss
// would leave.
//
// Between two syncs of a folder each change of a name is kept or not, for itself, unless ordered. A rename
// within a folder is one change; one between folders is two, and the old name never goes without the new one.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sim/file_image.h"

namespace millrace::sim {

struct Inode {
  std::uint64_t number = 0;
  FileImage image;
  std::uint32_t names = 0;  // that programs see
  std::uint32_t opens = 0;
};
using InodePtr = std::shared_ptr<Inode>;

// Folders are durable as soon as they are made, as Disk promises. Paths: "a/b"; "" is the root.
class NameSpace {
 public:
  NameSpace() { folders_[""]; }

  bool has_folder(std::string_view folder) const { return folders_.count(std::string(folder)) != 0; }
  void make_folder(std::string_view folder);  // and its parents
  // Of files and folders, sorted.
  std::vector<std::string> entries(std::string_view folder) const;
  // All files, whole paths, sorted.
  std::vector<std::string> files() const;

  InodePtr find(std::string_view path) const;  // nullptr when there is none
  void link(std::string_view path, InodePtr inode);
  void unlink(std::string_view path);
  void rename(std::string_view from, std::string_view to);  // over what was there

  void sync_folder(std::string_view folder);
  // in_order: of a folder's changes, those before some point are kept and the others not
  void lose_power(SeededRandom& random, bool in_order);

  // Every file that programs see or a disk may still have.
  std::vector<InodePtr> inodes() const;

  static std::string_view folder_of(std::string_view path);
  static std::string_view name_of(std::string_view path);

 private:
  struct Change {
    std::uint64_t number;
    enum class Kind : std::uint8_t { kLink, kUnlink, kRename } kind;
    std::string name;
    std::string new_name;  // kRename
    InodePtr inode;
    std::uint64_t only_with = 0;  // kept only when the change of this number was, if it is still pending
  };
  using Names = std::map<std::string, InodePtr>;
  struct Folder {
    Names seen;
    Names durable;
    std::vector<Change> pending;
  };

  Folder& folder(std::string_view path);
  static void apply(const Change& change, Names& names);
  static void set_name(Names& names, const std::string& name, const InodePtr& inode);

  std::map<std::string, Folder> folders_;
  std::uint64_t changes_ = 0;
};

}  // namespace millrace::sim
