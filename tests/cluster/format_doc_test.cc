// The control log's bytes in docs/format.md are what the code reads and writes.
#include <gtest/gtest.h>

#include "cluster/control_log.h"
#include "log/format_page.h"

namespace millrace::cluster {
namespace {

TEST(FormatPage, ControlLogObject) {
  const Bytes object = testing::page_bytes("control entry");
  const auto content = unframe_control_object(ControlObject::kEntry, 2, object.view());
  ASSERT_TRUE(content.ok()) << content.error().text;
  EXPECT_EQ(*content, R"({"change":"stream_activated","id":1})");
  const Bytes framed = frame_control_object(ControlObject::kEntry, 2, *content);
  EXPECT_EQ(as_text(framed.view()), as_text(object.view()));
  for (std::size_t bit = 0; bit < object.size() * 8; ++bit) {
    const Bytes wrong = testing::with_flipped_bit(object, bit);
    EXPECT_FALSE(unframe_control_object(ControlObject::kEntry, 2, wrong.view()).ok()) << "bit " << bit;
  }
}

}  // namespace
}  // namespace millrace::cluster
