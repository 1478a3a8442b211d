// The bytes of the control log and of FOLDER in docs/format.md are what the code reads and writes.
#include <gtest/gtest.h>

#include "cluster/control_log.h"
#include "log/format_page.h"
#include "store/folder_file.h"

namespace millrace::cluster {
namespace {

void is_read_and_written(const char* block, const store::Origin& origin) {
  const Bytes object = testing::page_bytes(block);
  const auto content = unframe_control_object(ControlObject::kEntry, 2, object.view());
  ASSERT_TRUE(content.ok()) << content.error().text;
  EXPECT_EQ(content->content, R"({"change":"stream_activated","id":1})");
  EXPECT_EQ(content->origin.folder, origin.folder);
  EXPECT_EQ(content->origin.start, origin.start);
  const Bytes framed = frame_control_object(ControlObject::kEntry, 2, content->content, origin);
  EXPECT_EQ(as_text(framed.view()), as_text(object.view()));
  for (std::size_t bit = 0; bit < object.size() * 8; ++bit) {
    const Bytes wrong = testing::with_flipped_bit(object, bit);
    EXPECT_FALSE(unframe_control_object(ControlObject::kEntry, 2, wrong.view()).ok()) << "bit " << bit;
  }
}

TEST(FormatPage, ControlLogObject) {
  is_read_and_written("control entry", {0x1f2e3d4c5b6a7988, 3});
  is_read_and_written("control entry of version 1", {});
}

TEST(FormatPage, FolderSlot) {
  const Bytes bytes = testing::page_bytes("folder slot");
  const auto slot = store::decode_folder_slot(bytes.view());
  ASSERT_TRUE(slot.ok()) << slot.error().text;
  EXPECT_EQ(slot->number, 41u);
  EXPECT_EQ(slot->record.origin.folder, 0x1f2e3d4c5b6a7988u);
  EXPECT_EQ(slot->record.origin.start, 3u);
  EXPECT_EQ(slot->record.parts.at("log/journal/000").number, 12u);
  // The chain that it speaks of is the entry of this page, as if it began with it.
  const Bytes entry = testing::page_bytes("control entry");
  EXPECT_EQ(slot->record.parts.at("control/control").sum,
            chain_sum(std::nullopt, {object_sum(entry.view())}));
  const auto again = store::encode_folder_slot(slot->record, 41);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->text(), bytes.text());
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit)
    EXPECT_FALSE(store::decode_folder_slot(testing::with_flipped_bit(bytes, bit).view()).ok())
        << "bit " << bit;
}

}  // namespace
}  // namespace millrace::cluster
