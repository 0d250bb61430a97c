#include "store/key_block.hpp"

#include <algorithm>
#include <limits>
#include <new>

#include "base/check.hpp"

namespace concord::store {
namespace {

std::size_t common_prefix(std::string_view a, std::string_view b) noexcept {
  const std::size_t most = std::min(a.size(), b.size());
  std::size_t size = 0;
  while (size < most && a[size] == b[size]) ++size;
  return size;
}

}  // namespace

template <class Less>
std::size_t KeyBlock::bound(std::string_view key, Less less) const noexcept {
  const std::string_view shared = prefix();
  const int order = key.substr(0, shared.size()).compare(shared);
  if (order != 0) return order < 0 ? 0 : count_;
  const std::string_view rest = key.substr(shared.size());
  std::size_t begin = 0;
  std::size_t end = count_;
  while (begin < end) {
    const std::size_t middle = (begin + end) / 2;
    if (less(suffix(middle).compare(rest))) {
      begin = middle + 1;
    } else {
      end = middle;
    }
  }
  return begin;
}

std::size_t KeyBlock::lower_bound(std::string_view key) const noexcept {
  return bound(key, [](int order) { return order < 0; });
}

std::size_t KeyBlock::upper_bound(std::string_view key) const noexcept {
  return bound(key, [](int order) { return order <= 0; });
}

bool KeyBlock::is_key(std::size_t at, std::string_view key) const noexcept {
  return key.starts_with(prefix()) && key.substr(prefix_size_) == suffix(at);
}

void KeyBlock::free(void* block) noexcept { ::operator delete(block); }

void KeyBlockBuilder::add(const KeyBlock& block, std::size_t begin, std::size_t end) {
  if (begin == end) return;
  parts_.push_back({.block = &block, .begin = begin, .end = end, .key = {}});
  count_ += end - begin;
}

void KeyBlockBuilder::add(std::string_view key) {
  parts_.push_back({.block = nullptr, .begin = 0, .end = 1, .key = key});
  ++count_;
}

std::size_t KeyBlockBuilder::shared_prefix() const {
  if (count_ == 0) return 0;
  const auto put_key = [](const Part& part, std::size_t at, std::string& to) {
    to.clear();
    if (part.block == nullptr) {
      to.append(part.key);
    } else {
      part.block->append_key(at, to);
    }
  };
  put_key(parts_.front(), parts_.front().begin, first_);
  put_key(parts_.back(), parts_.back().end - 1, last_);
  return common_prefix(first_, last_);  // in order, so what the first and the last share all share
}

std::size_t KeyBlockBuilder::measure(std::size_t prefix_size) const noexcept {
  std::size_t size = prefix_size;
  for (const Part& part : parts_) {
    const std::size_t count = part.end - part.begin;
    if (part.block == nullptr) {
      size += part.key.size();
    } else {
      const std::uint16_t* ends = part.block->ends();
      size += std::size_t{ends[part.end - 1]} - (part.begin == 0 ? 0U : ends[part.begin - 1]);
      size += count * part.block->prefix_size_;
    }
    size -= count * prefix_size;
  }
  return size;
}

KeyBlock* KeyBlockBuilder::build(bool is_leaf) {
  CONCORD_CHECK(!is_leaf || count_ > 0, "a leaf holds a key");
  const std::size_t prefix_size = shared_prefix();
  const std::size_t text_size = measure(prefix_size);
  CONCORD_CHECK(text_size <= std::numeric_limits<std::uint16_t>::max(), "a block's text fits its ends");
  const std::size_t children_bytes = is_leaf ? 0 : (count_ + 1) * sizeof(KeyBlock::Child);
  const std::size_t size_bytes = sizeof(KeyBlock) + children_bytes + count_ * sizeof(std::uint16_t) + text_size;
  auto* block = new (::operator new(size_bytes)) KeyBlock;
  block->count_ = static_cast<std::uint16_t>(count_);
  block->prefix_size_ = static_cast<std::uint16_t>(prefix_size);
  block->is_leaf_ = is_leaf;
  if (!is_leaf) {
    for (std::size_t at = 0; at <= count_; ++at) new (block->children() + at) KeyBlock::Child(nullptr);
  }
  auto* ends = const_cast<std::uint16_t*>(block->ends());
  auto* text = const_cast<char*>(block->text());
  if (prefix_size > 0) std::memcpy(text, first_.data(), prefix_size);
  text += prefix_size;
  const char* suffixes = text;
  for (const Part& part : parts_) {
    if (part.block == nullptr) {
      if (part.key.size() > prefix_size)
        std::memcpy(text, part.key.data() + prefix_size, part.key.size() - prefix_size);
      text += part.key.size() - prefix_size;
      *ends++ = static_cast<std::uint16_t>(text - suffixes);
    } else {
      copy(*part.block, part, prefix_size, ends, text, suffixes);
    }
  }
  return block;
}

void KeyBlockBuilder::copy(const KeyBlock& block, const Part& part, std::size_t prefix_size, std::uint16_t*& ends,
                           char*& text, const char* text_begin) {
  if (prefix_size == block.prefix_size_) {  // the common case: the suffixes move as they are
    const std::size_t from = part.begin == 0 ? 0 : block.ends()[part.begin - 1];
    const std::size_t size = block.ends()[part.end - 1] - from;
    const auto shift = static_cast<std::size_t>(text - text_begin) - from;
    if (size > 0) std::memcpy(text, block.text() + block.prefix_size_ + from, size);
    text += size;
    for (std::size_t at = part.begin; at < part.end; ++at)
      *ends++ = static_cast<std::uint16_t>(block.ends()[at] + shift);
    return;
  }
  for (std::size_t at = part.begin; at < part.end; ++at) {
    const std::string_view prefix = block.prefix();
    std::string_view suffix = block.suffix(at);
    if (prefix_size < prefix.size()) {
      std::memcpy(text, prefix.data() + prefix_size, prefix.size() - prefix_size);
      text += prefix.size() - prefix_size;
    } else {
      suffix.remove_prefix(prefix_size - prefix.size());
    }
    if (!suffix.empty()) std::memcpy(text, suffix.data(), suffix.size());
    text += suffix.size();
    *ends++ = static_cast<std::uint16_t>(text - text_begin);
  }
}

}  // namespace concord::store
