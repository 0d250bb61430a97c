#include "store/view.hpp"

#include <utility>

namespace concord::store {

View::View(const KeySpace& keys, Epoch& epoch) : keys_(&keys), epoch_(&epoch), revision_(keys.open_view()) {}

View::View(View&& other) noexcept
    : keys_(std::exchange(other.keys_, nullptr)), epoch_(other.epoch_), revision_(other.revision_) {}

View::~View() {
  if (keys_ != nullptr) keys_->close_view(revision_);
}

bool View::get(std::string_view key, Value& out) const {
  const Epoch::Section section(*epoch_);
  Record* record = keys_->find(key, revision_);
  if (record == nullptr) return false;
  out = value_of(*record);
  return true;
}

std::optional<EntrySnapshot> View::get_entry(std::string_view key) const {
  const Epoch::Section section(*epoch_);
  Record* record = keys_->find(key, revision_);
  if (record == nullptr) return std::nullopt;
  return entry_of(*record);
}

Value value_of(Record& record) {
  if (record.value().size() <= Value::inline_capacity) return Value::from_stored(record.value());
  record.retain();
  return Value::share_stored(record.value(),
                             {.owner = &record,
                              .retain = [](void* owner) noexcept { static_cast<Record*>(owner)->retain(); },
                              .release = [](void* owner) noexcept { static_cast<Record*>(owner)->release(); }});
}

EntrySnapshot entry_of(Record& record) {
  return {.value = value_of(record),
          .revision = record.revision(),
          .create_revision = record.create_revision(),
          .version = record.version(),
          .deadline_ms = record.deadline_ms()};
}

}  // namespace concord::store
