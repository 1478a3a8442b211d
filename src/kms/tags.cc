// Tags of master keys.
// source: AWS KMS API reference, TagResource, UntagResource, ListResourceTags

#include "kms/key_metadata.h"

namespace millrace::kms {

namespace {

Outcome check_key(std::string_view key) {
  if (!key.starts_with("aws:")) return std::nullopt;
  return ApiError{"TagException", "Tags beginning with aws: are reserved"};
}

}  // namespace

Outcome add_tags(const std::vector<Tag>& tags, std::map<std::string, std::string>& to) {
  constexpr std::size_t kTagsMax = 50;
  for (const Tag& tag : tags) {
    if (Outcome reserved = check_key(tag.key); reserved.has_value()) return reserved;
    to.insert_or_assign(tag.key, tag.value);
  }
  if (to.size() > kTagsMax) return ApiError{"TagException", "Too many tags: 50 a key at most"};
  return std::nullopt;
}

namespace {

struct TagResourceRequest {
  std::string key_id;
  std::vector<Tag> tags;
};
constexpr Field kTagFields[] = {
    field<TagResourceRequest, &TagResourceRequest::key_id>("KeyId", {.min = 1, .max = 2'048}),
    field<TagResourceRequest, &TagResourceRequest::tags>("Tags", {.min = 0, .max = 50}),
};

// Changes the tags of a key that is not on its way out.
Task<Outcome> change_tags(Call& call, std::string key_id, std::map<std::string, std::string> set,
                          std::vector<std::string> removed) {
  Outcome refused;
  const auto key = allowed_key(call, key_id, refused, {.new_tags = &set, .tag_keys = removed});
  if (refused.has_value()) co_return refused;
  for (const std::string& name : removed)
    if (Outcome reserved = check_key(name); reserved.has_value()) co_return reserved;
  Outcome wrong;
  auto editing = call.service.edit_key((*key)->id, [&](MasterKey& changed) -> Result<void> {
    if (changed.deletion_ms)
      return Error{ErrorKind::kKeyInvalidState, call.service.key_arn(changed.id) + " is pending deletion."};
    std::vector<Tag> added;
    added.reserve(set.size());
    for (const auto& [name, value] : set) added.push_back({name, value});
    wrong = add_tags(added, changed.tags);
    if (wrong.has_value()) return Error{ErrorKind::kInvalid, wrong->message};
    for (const std::string& name : removed) changed.tags.erase(name);
    return {};
  });
  auto edited = co_await std::move(editing);
  if (wrong.has_value()) co_return wrong;
  if (!edited.ok()) co_return from_house(edited.error());
  co_return std::nullopt;
}

Task<Outcome> tag_resource(Call& call, TagResourceRequest request) {
  std::map<std::string, std::string> set;
  for (Tag& tag : request.tags) set.insert_or_assign(std::move(tag.key), std::move(tag.value));
  return change_tags(call, std::move(request.key_id), std::move(set), {});
}

struct UntagResourceRequest {
  std::string key_id;
  std::vector<std::string> names;
};
constexpr Field kUntagFields[] = {
    field<UntagResourceRequest, &UntagResourceRequest::key_id>("KeyId", {.min = 1, .max = 2'048}),
    field<UntagResourceRequest, &UntagResourceRequest::names>(
        "TagKeys", {.min = 0, .max = 50, .members = api::LengthRange{1, 128}}),
};
Task<Outcome> untag_resource(Call& call, UntagResourceRequest request) {
  return change_tags(call, std::move(request.key_id), {}, std::move(request.names));
}

struct ListResourceTagsRequest {
  std::string key_id;
  std::optional<std::int32_t> limit;
  std::optional<std::string> marker;
};
constexpr Field kListFields[] = {
    field<ListResourceTagsRequest, &ListResourceTagsRequest::key_id>("KeyId", {.min = 1, .max = 2'048}),
    field<ListResourceTagsRequest, &ListResourceTagsRequest::limit>("Limit", {.min = 1, .max = 50}),
    field<ListResourceTagsRequest, &ListResourceTagsRequest::marker>("Marker", {.min = 1, .max = 1'024}),
};
Task<Outcome> list_resource_tags(Call& call, ListResourceTagsRequest request) {
  Outcome refused;
  const auto key = allowed_key(call, request.key_id, refused);
  if (refused.has_value()) co_return refused;
  const auto& tags = (*key)->tags;
  const auto limit = static_cast<std::size_t>(request.limit.value_or(50));
  auto at = request.marker.has_value() ? tags.upper_bound(*request.marker) : tags.begin();
  Writer& writer = call.reply;
  writer.begin_object();
  writer.key("Tags");
  writer.begin_list();
  std::string last;
  for (std::size_t count = 0; at != tags.end() && count < limit; ++at, ++count) {
    last = at->first;
    writer.begin_object();
    writer.member("TagKey", at->first);
    writer.member("TagValue", at->second);
    writer.end_object();
  }
  writer.end_list();
  if (at != tags.end()) writer.member("NextMarker", last);
  writer.member("Truncated", at != tags.end());
  writer.end_object();
  co_return std::nullopt;
}

}  // namespace

extern const Operation kTagResource, kUntagResource, kListResourceTags;
const Operation kTagResource = operation<TagResourceRequest, kTagFields, tag_resource>("TagResource");
const Operation kUntagResource =
    operation<UntagResourceRequest, kUntagFields, untag_resource>("UntagResource");
const Operation kListResourceTags =
    operation<ListResourceTagsRequest, kListFields, list_resource_tags>("ListResourceTags");

}  // namespace millrace::kms
