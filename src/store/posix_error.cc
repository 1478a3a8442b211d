#include "store/posix_error.h"

#include <cerrno>
#include <system_error>

namespace millrace::store {

std::string posix_error_text(std::string_view what, std::string_view where, int error) {
  std::string text{what};
  text += ' ';
  text += where;
  text += ": ";
  text += std::system_category().message(error);
  return text;
}

Error posix_error(std::string_view what, std::string_view where, int error) {
  std::string text = posix_error_text(what, where, error);
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return {ErrorKind::kNotFound, std::move(text)};
    case EEXIST:
      return {ErrorKind::kConflict, std::move(text)};
    default:
      return {ErrorKind::kUnavailable, std::move(text)};
  }
}

Error posix_change_error(std::string_view what, std::string_view where, int error) {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
    case EEXIST:
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case EACCES:
    case EPERM:
    case EROFS:
    case EISDIR:
      return posix_error(what, where, error);
    default:
      return {ErrorKind::kUnknown, posix_error_text(what, where, error)};
  }
}

}  // namespace millrace::store
