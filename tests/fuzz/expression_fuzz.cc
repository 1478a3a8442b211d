// Byte 0: 0 two numbers as text, a line each, 1 a condition, an update and a projection as text, a line each;
// then what draws the item and the values that they go to.
//
// Whatever is written, it is refused with a reason that can be shown, or does to the item what it says: an
// item stays what can be stored, two ways to say a thing agree, and numbers obey arithmetic.
#include <algorithm>
#include <memory>
#include <optional>
#include <string>

#include "base/assert.h"
#include "fuzz/can_be_shown.h"
#include "fuzz/drawn_input.h"
#include "fuzz/take_line.h"
#include "leases/dynamodb/expression.h"
#include "leases/dynamodb/number.h"

namespace millrace::leases::dynamodb {
namespace {

// The service tells of wrong UTF-8 before an expression is looked at.
bool is_refused(const Outcome& outcome) {
  if (outcome.has_value()) MR_ASSERT(fuzz::can_be_shown(outcome->message));
  return outcome.has_value();
}

std::optional<Number> number_of(std::string_view text) {
  auto number = parse_number(text);
  if (number.ok()) return std::move(number).value();
  MR_ASSERT(number.error().kind == ErrorKind::kInvalid && fuzz::can_be_shown(number.error().text));
  return std::nullopt;
}

void check_numbers(std::string_view rest) {
  const std::string_view first = fuzz::take_line(rest);
  const std::string_view second = fuzz::take_line(rest);
  if (!fuzz::can_be_shown(first) || !fuzz::can_be_shown(second)) return;
  const auto a = number_of(first);
  const auto b = number_of(second);
  if (!a || !b) return;
  const auto same = number_of(a->text());
  MR_ASSERT(same && compare(*a, *same) == 0 && same->text() == a->text() &&
            same->sort_key() == a->sort_key());
  const int order = compare(*a, *b);
  MR_ASSERT(compare(*b, *a) == -order || (compare(*b, *a) < 0) == (order > 0));
  MR_ASSERT((order == 0) == (a->text() == b->text()));
  MR_ASSERT((a->sort_key() < b->sort_key()) == (order < 0));
  const auto sum = add(*a, *b);
  const auto turned = add(*b, *a);
  MR_ASSERT(sum.ok() == turned.ok() && (!sum.ok() || sum->text() == turned->text()));
  if (!sum.ok()) return;
  const auto back = add(*sum, negated(*b));
  if (back.ok()) MR_ASSERT(back->text() == a->text());
}

AttributeValue drawn_value(fuzz::DrawnInput& draw, int depth) {
  static constexpr std::string_view kTexts[] = {"a", "b", "abc", "", "\xc3\xa9"};
  static constexpr std::string_view kNumbers[] = {"0", "1", "-2.5", "10000000000000000000000000000000000001",
                                                  "3"};
  AttributeValue value;
  switch (draw.below(depth > 3 ? 6 : 8)) {
    case 0:
      return AttributeValue::string(std::string(kTexts[draw.below(5)]));
    case 1:
      return AttributeValue::number(std::string(kNumbers[draw.below(5)]));
    case 2:
      return AttributeValue::of_text(AttributeType::kBinary, std::string(kTexts[draw.below(5)]));
    case 3:
      value.type = AttributeType::kBoolean;
      value.held = draw.below(2) == 1;
      return value;
    case 4: {
      const bool numbers = draw.below(2) == 1;
      value.type = numbers ? AttributeType::kNumberSet : AttributeType::kStringSet;
      AttributeSet set{std::string(numbers ? kNumbers[draw.below(5)] : kTexts[draw.below(3)])};
      if (draw.below(2) == 1) set.emplace_back(numbers ? "7" : "z");
      std::sort(set.begin(), set.end());
      value.held = std::move(set);
      return value;
    }
    case 5:
      return value;  // null
    case 6: {
      value.type = AttributeType::kMap;
      Attributes map;
      for (std::size_t left = draw.below(4); left > 0; --left)
        map.insert_or_assign(std::string(1, "abc"[draw.below(3)]), drawn_value(draw, depth + 1));
      value.held = std::move(map);
      return value;
    }
    default: {
      value.type = AttributeType::kList;
      AttributeList list;
      for (std::size_t left = draw.below(4); left > 0; --left) list.push_back(drawn_value(draw, depth + 1));
      value.held = std::move(list);
      return value;
    }
  }
}

// What may be stored: no empty set, numbers as they are written, sets in order and without doubles.
void check_value(const AttributeValue& value) {
  MR_ASSERT(value_bytes(value) > 0 || value.is(AttributeType::kString) || value.is(AttributeType::kBinary));
  MR_ASSERT(fuzz::can_be_shown(shown(value)));
  switch (value.type) {
    case AttributeType::kNumber:
      MR_ASSERT(number_of(value.text())->text() == value.text());
      return;
    case AttributeType::kMap:
      for (const auto& [name, inner] : value.map()) check_value(inner);
      return;
    case AttributeType::kList:
      for (const AttributeValue& inner : value.list()) check_value(inner);
      return;
    case AttributeType::kStringSet:
    case AttributeType::kNumberSet:
    case AttributeType::kBinarySet:
      MR_ASSERT(!value.set().empty());
      MR_ASSERT(std::adjacent_find(value.set().begin(), value.set().end(), std::greater_equal<>()) ==
                value.set().end());
      return;
    default:
      return;
  }
}

Placeholders drawn_placeholders(fuzz::DrawnInput& draw) {
  Placeholders placeholders;
  for (const char* name : {":a", ":b", ":c"})
    placeholders.values[name] = std::make_shared<const AttributeValue>(drawn_value(draw, 0));
  placeholders.names = {{"#a", "a"}, {"#b", "size"}, {"#c", "x.y"}};
  return placeholders;
}

void check_condition(std::string_view text, Placeholders placeholders, const Attributes& item) {
  Condition condition;
  if (is_refused(parse_condition(text, "ConditionExpression", placeholders, &condition))) return;
  const bool held = holds(condition, item);
  Condition negated;
  const std::string turned = "NOT (" + std::string(text) + ")";
  if (!is_refused(parse_condition(turned, "ConditionExpression", placeholders, &negated)))
    MR_ASSERT(holds(negated, item) != held);
  const auto visit = [&](const Path& path) { static_cast<void>(find(path, item)); };
  for_each_path(condition, visit);
}

void check_update(std::string_view text, Placeholders placeholders, const Attributes& item) {
  Update update;
  if (is_refused(parse_update(text, placeholders, &update))) return;
  MR_ASSERT(!update.empty());
  Attributes changed = item;
  if (is_refused(dynamodb::apply(update, changed))) return;
  for (const auto& [name, value] : changed) check_value(value);
  // Nothing but what the update names has changed.
  for (const auto& [name, value] : item) {
    const bool named = std::any_of(update.begin(), update.end(), [&](const UpdateAction& action) {
      return action.path.front().name == name;
    });
    if (!named) MR_ASSERT(changed.contains(name) && changed.find(name)->second == value);
  }
}

void check_projection(std::string_view text, Placeholders placeholders, const Attributes& item) {
  std::vector<Path> paths;
  if (is_refused(parse_projection(text, placeholders, &paths))) return;
  const Attributes taken = project(paths, item);
  MR_ASSERT(item_bytes(taken) <= item_bytes(item));
  for (const auto& [name, value] : taken) {
    MR_ASSERT(item.contains(name) && item.find(name)->second.type == value.type);
    check_value(value);
  }
}

void check(std::string_view input) {
  if (input.empty()) return;
  const bool numbers = static_cast<std::uint8_t>(input[0]) % 2 == 0;
  input.remove_prefix(1);
  if (numbers) return check_numbers(input);
  const std::string_view condition = fuzz::take_line(input);
  const std::string_view update = fuzz::take_line(input);
  const std::string_view projection = fuzz::take_line(input);
  fuzz::DrawnInput draw(input);
  Attributes item;
  for (const char* name : {"a", "b", "size"})
    if (draw.below(4) != 3) item.insert_or_assign(name, drawn_value(draw, 0));
  const Placeholders placeholders = drawn_placeholders(draw);
  if (fuzz::can_be_shown(condition)) check_condition(condition, placeholders, item);
  if (fuzz::can_be_shown(update)) check_update(update, placeholders, item);
  if (fuzz::can_be_shown(projection)) check_projection(projection, placeholders, item);
}

}  // namespace
}  // namespace millrace::leases::dynamodb

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  millrace::leases::dynamodb::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
