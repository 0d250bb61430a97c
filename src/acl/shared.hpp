// A value that copies share until one of them changes it: what a command does not touch, its copy does not cost.
//
// Thread rule: ordinary value; what is shared is not changed.
#pragma once

#include <memory>

namespace concord::acl {

template <class T>
class Shared {
 public:
  [[nodiscard]] const T& operator*() const noexcept { return *value_; }
  [[nodiscard]] const T* operator->() const noexcept { return value_.get(); }
  /// To change it.
  [[nodiscard]] T& own() {
    if (value_.use_count() != 1) value_ = std::make_shared<T>(*value_);
    return *value_;
  }

 private:
  std::shared_ptr<T> value_ = std::make_shared<T>();
};

}  // namespace concord::acl
