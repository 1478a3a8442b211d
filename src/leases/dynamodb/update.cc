// What updates make of an item, and what projections take from it.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <tuple>
#include <utility>

#include "base/assert.h"
#include "leases/dynamodb/expression.h"
#include "leases/dynamodb/number.h"

namespace millrace::leases::dynamodb {
namespace {

Refusal wrong_type() { return validation("An operand in the update expression has an incorrect data type"); }
Refusal no_attribute() {
  return validation("The provided expression refers to an attribute that does not exist in the item");
}
Refusal wrong_path() {
  return validation("The document path provided in the update expression is invalid for update");
}

Outcome sum(const std::string& a, const std::string& b, bool minus, AttributeValue* result) {
  auto left = parse_number(a);
  auto right = parse_number(b);
  MR_ASSERT(left.ok() && right.ok());  // they were when they came in
  auto total = add(*left, minus ? negated(std::move(*right)) : std::move(*right));
  if (!total.ok()) return validation(total.error().text);
  *result = AttributeValue::number(total->text());
  return std::nullopt;
}

Outcome compute(const Operand& operand, const Attributes& item, AttributeValue* result) {
  switch (operand.kind) {
    case Operand::Kind::kValue:
      *result = *operand.value;
      return std::nullopt;
    case Operand::Kind::kPath:
    case Operand::Kind::kIfNotExists: {
      const AttributeValue* found = find(operand.path, item);
      if (found == nullptr && operand.kind == Operand::Kind::kPath) return no_attribute();
      if (found == nullptr) return compute(operand.operands[0], item, result);
      *result = *found;
      return std::nullopt;
    }
    case Operand::Kind::kListAppend: {
      AttributeValue second;
      LEASES_TRY(compute(operand.operands[0], item, result));
      LEASES_TRY(compute(operand.operands[1], item, &second));
      if (!result->is(AttributeType::kList) || !second.is(AttributeType::kList)) return wrong_type();
      std::move(second.list().begin(), second.list().end(), std::back_inserter(result->list()));
      return std::nullopt;
    }
    case Operand::Kind::kPlus:
    case Operand::Kind::kMinus: {
      AttributeValue second;
      LEASES_TRY(compute(operand.operands[0], item, result));
      LEASES_TRY(compute(operand.operands[1], item, &second));
      if (!result->is(AttributeType::kNumber) || !second.is(AttributeType::kNumber)) return wrong_type();
      const std::string first = result->text();
      return sum(first, second.text(), operand.kind == Operand::Kind::kMinus, result);
    }
    case Operand::Kind::kSize:
      break;
  }
  assertion_failed("an operand of an update", __FILE__, __LINE__);
}

// Where the last step of a path leads from; neither when the path leads nowhere.
struct Place {
  Attributes* map = nullptr;
  AttributeList* list = nullptr;
};

Place place_of(const Path& path, Attributes& item) {
  Place place{.map = &item};
  AttributeValue* at = nullptr;
  if (path.size() > 1) {
    const Path parent(path.begin(), std::prev(path.end()));
    at = const_cast<AttributeValue*>(find(parent, item));  // into `item`, which is not const
    if (at == nullptr) return {};
    place = {.map = at->is(AttributeType::kMap) ? &at->map() : nullptr,
             .list = at->is(AttributeType::kList) ? &at->list() : nullptr};
  }
  if (path.back().index.has_value()) place.map = nullptr;
  if (!path.back().index.has_value()) place.list = nullptr;
  return place;
}

AttributeValue* value_at(const Place& place, const PathStep& step) {
  if (place.map != nullptr) {
    const auto found = place.map->find(step.name);
    return found == place.map->end() ? nullptr : &found->second;
  }
  return *step.index < place.list->size() ? &(*place.list)[*step.index] : nullptr;
}

void put_at(const Place& place, const PathStep& step, AttributeValue value) {
  if (place.map != nullptr)
    place.map->insert_or_assign(step.name, std::move(value));
  else if (AttributeValue* there = value_at(place, step); there != nullptr)
    *there = std::move(value);
  else
    place.list->push_back(std::move(value));  // beyond its end is at its end
}

void remove_at(const Place& place, const PathStep& step) {
  if (place.map != nullptr)
    place.map->erase(step.name);
  else if (*step.index < place.list->size())
    place.list->erase(place.list->begin() + *step.index);
}

Outcome add_to(const Place& place, const PathStep& step, const AttributeValue& value) {
  AttributeValue* there = value_at(place, step);
  if (there == nullptr) {
    put_at(place, step, value);
    return std::nullopt;
  }
  if (there->type != value.type) return wrong_type();
  if (value.is(AttributeType::kNumber)) {
    const std::string before = there->text();
    return sum(before, value.text(), false, there);
  }
  AttributeSet both;
  std::set_union(there->set().begin(), there->set().end(), value.set().begin(), value.set().end(),
                 std::back_inserter(both));
  there->set() = std::move(both);
  return std::nullopt;
}

// *emptied: nothing is left of the set, so it must go.
Outcome delete_from(const Place& place, const PathStep& step, const AttributeValue& value, bool* emptied) {
  AttributeValue* there = value_at(place, step);
  if (there == nullptr) return std::nullopt;
  if (there->type != value.type) return wrong_type();
  AttributeSet left;
  std::set_difference(there->set().begin(), there->set().end(), value.set().begin(), value.set().end(),
                      std::back_inserter(left));
  *emptied = left.empty();
  there->set() = std::move(left);
  return std::nullopt;
}

bool before(const Path& a, const Path& b) {
  return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(),
                                      [](const PathStep& x, const PathStep& y) {
                                        return std::tie(x.name, x.index) < std::tie(y.name, y.index);
                                      });
}

// Copies `value` into `into`, as far as `path` from `step` on leads.
// same   how many steps it has in common with the path that was copied before: those elements are there
void project_step(const Path& path, std::size_t step, std::size_t same, const AttributeValue& value,
                  AttributeValue& into) {
  if (step == path.size()) {
    into = value;
    return;
  }
  if (into.type != value.type || !(into.is(AttributeType::kMap) || into.is(AttributeType::kList))) {
    into.type = value.type;
    if (value.is(AttributeType::kMap))
      into.held = Attributes{};
    else
      into.held = AttributeList{};
  }
  if (value.is(AttributeType::kMap))
    project_step(path, step + 1, same, value.map().find(path[step].name)->second,
                 into.map()[path[step].name]);
  else
    project_step(path, step + 1, same, value.list()[*path[step].index],
                 step < same ? into.list().back() : into.list().emplace_back());
}

}  // namespace

Outcome apply(const Update& update, Attributes& item) {
  std::vector<std::pair<const UpdateAction*, AttributeValue>> sets;
  for (const UpdateAction& action : update) {
    if (action.kind != UpdateAction::Kind::kSet) continue;
    sets.emplace_back(&action, AttributeValue{});
    LEASES_TRY(compute(action.value, item, &sets.back().second));
  }
  // Elements beyond a list's end are appended in the order of their indices.
  std::sort(sets.begin(), sets.end(),
            [](const auto& a, const auto& b) { return before(a.first->path, b.first->path); });
  for (auto& [action, value] : sets) {
    const Place place = place_of(action->path, item);
    if (place.map == nullptr && place.list == nullptr) return wrong_path();
    put_at(place, action->path.back(), std::move(value));
  }
  std::vector<const Path*> removed;
  for (const UpdateAction& action : update) {
    if (action.kind == UpdateAction::Kind::kSet) continue;
    const Place place = place_of(action.path, item);
    if (place.map == nullptr && place.list == nullptr) return wrong_path();
    bool goes = action.kind == UpdateAction::Kind::kRemove;
    if (action.kind == UpdateAction::Kind::kAdd)
      LEASES_TRY(add_to(place, action.path.back(), *action.value.value));
    if (action.kind == UpdateAction::Kind::kDelete)
      LEASES_TRY(delete_from(place, action.path.back(), *action.value.value, &goes));
    if (goes) removed.push_back(&action.path);
  }
  // Indices are those before the update: the last element goes first.
  std::sort(removed.begin(), removed.end(), [](const Path* a, const Path* b) { return before(*b, *a); });
  for (const Path* path : removed) remove_at(place_of(*path, item), path->back());
  return std::nullopt;
}

Attributes project(const std::vector<Path>& paths, const Attributes& item) {
  // Elements of a list come in the order of their indices, whatever the order in which they were asked for.
  std::vector<const Path*> sorted;
  for (const Path& path : paths)
    if (find(path, item) != nullptr) sorted.push_back(&path);
  std::sort(sorted.begin(), sorted.end(), [](const Path* a, const Path* b) { return before(*a, *b); });
  Attributes taken;
  const Path* last = nullptr;
  for (const Path* path : sorted) {
    std::size_t same = 0;
    while (last != nullptr && same < path->size() && same < last->size() && (*path)[same] == (*last)[same])
      ++same;
    last = path;
    const std::string& head = path->front().name;
    project_step(*path, 1, same, item.find(head)->second, taken[head]);
  }
  return taken;
}

}  // namespace millrace::leases::dynamodb
